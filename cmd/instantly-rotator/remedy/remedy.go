// Package remedy says what a person can do about an error. What the engine and
// what it uses may run into has its remedies in the engine's table of classes; here
// are those of the program around it.
package remedy

import (
	"errors"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// Program is what people type.
const Program = "instantly-rotator"

// For says what a person can do about an error with a target, or with any if the name is
// empty; empty if there is nothing to do but to wait for the next run. The commands in it
// are for the configuration that is read by default: see [Pasted].
func For(err error, target string) string {
	if target == "" {
		target = "TARGET"
	}
	var notStored *fleet.NotStoredError
	if errors.As(err, &notStored) {
		return "put it there: " + notStored.Command
	}
	for _, h := range hints() {
		if errors.Is(err, h.is) {
			return h.say
		}
	}
	for _, c := range rotator.ClassesOf(err) {
		if c.Remedy != "" {
			return c.RemedyFor(Program, target)
		}
	}
	return ""
}

// DeclareAgain is the command that declares an incident once more.
func DeclareAgain(target, incident string) string {
	return Program + " rotate --compromised " + target + " --incident " + fleet.ShellQuote(incident) + " --again"
}

// Pasted completes the commands in a text with the configuration's file, so that they do
// what they say when they are pasted. Without a file they are complete.
func Pasted(text, file string) string {
	if file == "" {
		return text
	}
	complete := Program + " -c "
	return strings.NewReplacer(complete, complete, Program+" ", complete+fleet.ShellQuote(file)+" ").Replace(text)
}

type hint struct {
	is  error
	say string
}

func hints() []hint {
	return []hint{
		{notify.ErrNoURL, "put the receiver's URL where the message says, or let url of the receiver point to where it is"},
		{fleet.ErrNoKeyYet, "none was made yet, or the store is not where it was; see which: " + Program + " status"},
		{fleet.ErrNoAdminKey, "put the admin key where the message says, or let admin_key of the workspace point to where it is; it needs api_keys:create, api_keys:read and api_keys:delete"},
		{notify.ErrURL, "write it as https://shoutrrr.nickfedor.com shows for the service; a webhook's own address is generic+https://…"},
		{notify.ErrRefused, "check the token in the receiver's URL, or make a new one with the service"},
		{notify.ErrRedirect, "put the address it redirects to into the receiver's URL"},
		{notify.ErrUnreachable, "check the host in the receiver's URL, and the network"},
		{notify.ErrTimeout, "check the host in the receiver's URL, and the network"},
		{notify.ErrUndelivered, "check the receiver's URL against https://shoutrrr.nickfedor.com"},
	}
}
