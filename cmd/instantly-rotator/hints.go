package main

import (
	"errors"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// hintFor says what a person can do about an error; empty if there is nothing
// to do but to wait for the next run.
func hintFor(err error) string {
	for _, h := range hints() {
		if errors.Is(err, h.is) {
			return h.say
		}
	}
	for _, c := range rotator.ClassesOf(err) {
		if c.Remedy != "" {
			return c.RemedyFor("instantly-rotator", "TARGET")
		}
	}
	return ""
}

type hint struct {
	is  error
	say string
}

// hints are for this program's own errors; those of the engine and of what it uses
// have their remedies in the engine's table of classes.
func hints() []hint {
	return []hint{
		{syscall.EADDRINUSE, "another program answers there, perhaps another instance of this one: give --listen another address, or \"\" for none"},
		{errNoConfig, "name it with --config or INSTANTLY_ROTATOR_CONFIG; config.example.yaml shows one"},
		{notify.ErrNoURL, "put the receiver's URL where the message says, or let url of the receiver point to where it is"},
		{errNoKeyYet, "run: instantly-rotator rotate --due"},
		{errNoAdminKey, "put the admin key where the message says, or let admin_key of the workspace point to where it is; it needs api_keys:create, api_keys:read and api_keys:delete"},
		{errNoReceiver, "add a section notify to the configuration; config.example.yaml shows one"},
		{notify.ErrURL, "write it as https://shoutrrr.nickfedor.com shows for the service; a webhook's own address is generic+https://…"},
		{notify.ErrRefused, "check the token in the receiver's URL, or make a new one with the service"},
		{notify.ErrRedirect, "put the address it redirects to into the receiver's URL"},
		{notify.ErrUnreachable, "check the host in the receiver's URL, and the network"},
		{notify.ErrTimeout, "check the host in the receiver's URL, and the network"},
		{notify.ErrUndelivered, "check the receiver's URL against https://shoutrrr.nickfedor.com"},
	}
}
