package main

import (
	"errors"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// hintFor says what a person can do about an error; empty if there is nothing
// to do but to wait for the next run.
func hintFor(err error) string {
	for _, h := range hints() {
		if errors.Is(err, h.is) {
			return h.say
		}
	}
	return ""
}

type hint struct {
	is  error
	say string
}

// hints in the order in which they are tried: the engine's errors first, since
// they may wrap the others.
func hints() []hint {
	return []hint{
		{rotator.ErrHeld, "the key was left as it is; \"instantly-rotator release TARGET\" ends the hold"},
		{rotator.ErrBusy, "run it again after that; --force takes the rotation over now, which wastes a key if the other instance is still at it"},
		{rotator.ErrGateOpen, "the old key lives on until its consumers have moved; look at what the message names"},
		{rotator.ErrInGrace, "wait until then, or end the grace period on purpose with --end-grace: consumers that cached the old key will fail"},
		{rotator.ErrOrganization, "nothing was touched; check admin_key, as_workspace and organization_id of the workspace"},
		{rotator.ErrScopes, "the new key was given up and the old one is in use; check the scopes in the configuration against what Instantly offers"},
		{rotator.ErrNeverValid, "the new key was given up and the old one is in use; if keys take longer to become active, raise activation_timeout"},
		{rotator.ErrUnlisted, "the old key is in use, and what was issued is revoked by the next run; if it lasts, something other than Instantly answers: check base_url"},
		{rotator.ErrStillAlive, "it was revoked, but Instantly still lists or accepts it; later runs look again. If it lasts, delete it in Instantly under Settings > Integrations > API Keys"},
		{rotator.ErrPanic, "this is a bug: please report it with the output of --log-level debug. The other targets are not touched by it"},
		{rotator.ErrByHand, "somebody changed the secret by hand; put it right as the message says, then run again"},
		{rotator.ErrLostRace, "nothing to do: the other instance goes on"},
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
		{instantly.ErrScope, "give the admin key the scopes api_keys:create, api_keys:read and api_keys:delete (and workspaces:read)"},
		{instantly.ErrPlan, "all keys live on; renew the workspace's plan at Instantly, then run again"},
		{instantly.ErrBlocked, "all keys live on; the network edge turned the request away: check for a proxy or an address on a block list"},
		{instantly.ErrRateLimited, "all keys live on; other programs use up the workspace's budget. Run again later, or lower requests_per_second"},
		{instantly.ErrUnauthorized, "Instantly refuses the workspace's admin key: check it, or make a new one under Settings > Integrations > API Keys"},
		{instantly.ErrForbidden, "all keys live on; the workspace's plan may not allow it: look in Instantly"},
		{instantly.ErrRedirect, "all keys live on; something other than Instantly answers: check base_url"},
		{instantly.ErrMalformed, "all keys live on; if it lasts, something other than Instantly answers: check base_url"},
		{instantly.ErrBadRequest, "all keys live on; Instantly refused the request: check the scopes, and base_url"},
		{rotator.ErrIndeterminate, "all keys live on; run again later"},
		{instantly.ErrUnavailable, "all keys live on; run again when Instantly answers, or check base_url and the network"},
		{secretstore.ErrDenied, "do what the message says, or give the rotator read and write access to the store"},
		{secretstore.ErrCorrupt, "what is stored cannot be read: restore it from a backup, or check that the identity is the one it was written with"},
		{secretstore.ErrUnavailable, "run again when the store can be reached; all keys live on"},
	}
}
