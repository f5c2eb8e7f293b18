package rotator

import (
	"context"
	"errors"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// A Class is a kind of error, and all that is decided by it: what it is called in
// metrics and logs, who can do something about it, and what.
type Class struct {
	// Is is what errors of the class match with [errors.Is].
	Is error
	// Name is the label in metrics, the field in logs, and what two failures have in
	// common that are of the same kind.
	Name string
	// Category says who can do something about it.
	Category Category
	// Scope says what it stands in the way of.
	Scope Scope
	// Remedy is what a person can do, with {program} and {target} for the edge to fill
	// in; see [Class.RemedyFor]. If it is empty, NoRemedy says why.
	Remedy, NoRemedy string
	// Silent: nobody is notified of it.
	Silent bool
	// Outage: the workspace as a whole cannot be worked with, so the other targets are
	// not tried before one probe succeeds.
	Outage bool
	// Attempt: a run that stops for it has failed in an attempt, which counts for
	// backoff. What a person has to undo costs nothing to try again.
	Attempt bool
}

// A Category says who can do something about an error.
type Category string

// The categories.
const (
	Passing       Category = "passing"       // it goes by itself, or another run succeeds
	Person        Category = "person"        // somebody must do something, outside of the configuration
	Configuration Category = "configuration" // what is configured is wrong
	Bug           Category = "bug"           // in this program
)

// A Scope is what an error stands in the way of.
type Scope string

// The scopes.
const (
	ScopeTarget    Scope = "target"
	ScopeWorkspace Scope = "workspace"
	ScopeStore     Scope = "store"
)

// unclassified is for errors that no package of this module names.
func unclassified() Class {
	return Class{Name: "other", Category: Passing, Scope: ScopeTarget, NoRemedy: "nothing is known of it"}
}

// ClassOf gives the class of an error: the first in the table that it matches. An
// error that matches none is called "other".
func ClassOf(err error) Class {
	if cs := ClassesOf(err); len(cs) > 0 {
		return cs[0]
	}
	return unclassified()
}

// ClassesOf gives all classes that an error matches, in the order of the table.
func ClassesOf(err error) []Class {
	var of []Class
	for _, c := range Classes() {
		if errors.Is(err, c.Is) {
			of = append(of, c)
		}
	}
	return of
}

// RemedyFor gives the remedy for a program and a target.
func (c Class) RemedyFor(program, target string) string {
	return strings.NewReplacer("{program}", program, "{target}", target).Replace(c.Remedy)
}

const reportIt = "this is a bug: please report it with the output of --log-level debug. The other targets are not touched by it"

const skipGates = "{program} rotate --skip-gates REASON {target}"

// Classes lists all classes, in the order in which they are tried: the engine's own
// first, since they may wrap the others.
func Classes() []Class {
	return []Class{
		{
			Is: ErrTrail, Name: "trail_unwritable", Category: Person, Scope: ScopeWorkspace,
			Remedy: "nothing was done, all keys live on; let the user that the rotator runs as write what the message names, or make room on its disk: the next run goes on. " +
				"To go on without a record, on purpose, set on_failure: warn under trail in the configuration",
		},
		{
			Is: ErrCircuitOpen, Name: "circuit_open", Category: Passing, Scope: ScopeWorkspace,
			NoRemedy: "it comes with what failed, which has the remedy",
		},
		{
			Is: ErrLostRace, Name: "lost_race", Category: Passing, Scope: ScopeTarget, Silent: true,
			Remedy: "nothing to do: the other instance goes on",
		},
		{
			Is: ErrHeld, Name: "held", Category: Person, Scope: ScopeTarget, Silent: true,
			Remedy: `it was left as it is; "{program} release {target}" ends the hold`,
		},
		{
			Is: ErrBusy, Name: "busy", Category: Passing, Scope: ScopeTarget, Silent: true,
			Remedy: "run it again after that; --force takes the rotation over now, which wastes a key if the other instance is still at it",
		},
		{
			Is: ErrInGrace, Name: "in_grace", Category: Passing, Scope: ScopeTarget,
			Remedy: "wait until then, or end the grace period first, on purpose: {program} rotate --end-grace {target}: consumers that cached the old one will fail; those of after_promote are still waited for, unless with --skip-gates REASON",
		},
		{
			Is: ErrGateOpen, Name: "gate_open", Category: Person, Scope: ScopeTarget,
			Remedy: "the old key lives on until its consumers have moved; see what the message names. If they never will: " + skipGates,
		},
		{
			Is: ErrGateUnknown, Name: "gate_unknown", Category: Person, Scope: ScopeTarget,
			Remedy: "the old key lives on until this says that its consumers have moved; see to what the message names. If it never will: " + skipGates,
		},
		{
			Is: ErrSinkBehind, Name: "sink_behind", Category: Person, Scope: ScopeTarget, Attempt: true,
			Remedy: "an old key lives on until every sink has the current one, but not in an incident; see to the sink that the message names, and it is tried again. " +
				"If it is not needed any more, take it out of the configuration",
		},
		{
			Is: ErrSinkNotYet, Name: "sink_not_yet", Category: Person, Scope: ScopeTarget,
			Remedy: "the sink was given the key, and an old one lives on until what uses it works with that, but not in an incident; see what the message names. " +
				"If it is not needed any more, take it out of the configuration",
		},
		{
			Is: ErrStoreLost, Name: "store_lost", Category: Person, Scope: ScopeStore,
			Remedy: "nothing was issued; bring the store back: is it mounted, is its path or name right? If it is lost for good, " +
				`"{program} rotate --begin-anew {target}" issues a new key there; then delete the old ones in Instantly`,
		},
		{
			Is: ErrOrganization, Name: "wrong_organization", Category: Configuration, Scope: ScopeWorkspace,
			Remedy: "nothing was touched; check admin_key, as_workspace and organization_id of the workspace",
		},
		{
			Is: ErrNeverValid, Name: "never_valid", Category: Passing, Scope: ScopeTarget,
			Remedy: "the new one was given up and the old one is in use; if they take longer to become active, raise activation_timeout",
		},
		{
			Is: ErrUnlisted, Name: "unlisted", Category: Passing, Scope: ScopeTarget,
			Remedy: "the old key is in use, and what was issued is revoked by the next run; if it lasts, something other than Instantly answers: check base_url",
		},
		{
			Is: ErrStillAlive, Name: "still_alive", Category: Person, Scope: ScopeTarget, Attempt: true,
			Remedy: "it was revoked, but Instantly still lists or accepts it; later runs check again. If it lasts, delete it in Instantly under Settings > Integrations > API Keys",
		},
		{
			Is: ErrUntaken, Name: "not_taken_over", Category: Person, Scope: ScopeTarget,
			Remedy: `"{program} adopt {target}" takes over what is sent today: receivers get it from the store then, and the next rotation replaces it`,
		},
		{
			Is: ErrByHand, Name: "changed_by_hand", Category: Person, Scope: ScopeTarget,
			Remedy: "somebody changed the secret by hand; put it right as the message says, then run again",
		},
		{
			Is: ErrReceiverRefuses, Name: "receiver_refuses", Category: Person, Scope: ScopeTarget,
			Remedy: "receivers must accept the current and the previous value, as the store has them, and read them again within the settle time; the webhook sends a value again that they accept, and is switched later",
		},
		{
			Is: ErrHidden, Name: "hidden", Category: Person, Scope: ScopeTarget,
			Remedy: "nothing was touched: headers that Instantly does not show in full cannot be written back; take an empty one off, or change the secret by hand",
		},
		{
			Is: ErrNoSender, Name: "no_sender", Category: Configuration, Scope: ScopeTarget,
			Remedy: "nothing was destroyed; check which webhooks the configuration names, and the workspace",
		},
		{
			Is: ErrRevokeByHand, Name: "revoke_by_hand", Category: Person, Scope: ScopeTarget,
			Remedy: "the old key lives on: revoke it in Instantly under Settings > Integrations > API Keys; the next run forgets it then. " +
				`To keep it and have it forgotten: "{program} rotate --end-grace {target}"`,
		},
		{
			Is: ErrNotAdopted, Name: "not_adopted", Category: Person, Scope: ScopeTarget, Silent: true,
			Remedy: `nothing was changed; "{program} adopt --dry-run {target}" says which key it can be; "{program} rotate {target}" gives it a key of its own instead`,
		},
		{
			Is: ErrScopes, Name: "wrong_scopes", Category: Configuration, Scope: ScopeTarget,
			Remedy: "the new one was given up and the old one is in use; check the scopes in the configuration against what Instantly offers",
		},
		{Is: ErrPanic, Name: "internal", Category: Bug, Scope: ScopeTarget, Remedy: reportIt},
		{Is: ErrTooManySteps, Name: "too_many_steps", Category: Bug, Scope: ScopeTarget, Attempt: true, Remedy: reportIt},
		{
			Is: instantly.ErrNoAuditLog, Name: "no_audit_log", Category: Person, Scope: ScopeWorkspace,
			Remedy: "nothing is known of who used a key: the audit log is part of some of Instantly's plans only",
		},
		{
			Is: instantly.ErrScope, Name: "admin_key_scope", Category: Person, Scope: ScopeWorkspace,
			Remedy: "the scopes of a key cannot be changed: make a new admin key in Instantly (Settings > Integrations > API Keys) with " +
				"api_keys:create, api_keys:read, api_keys:delete and workspaces:read, for webhook_secrets also webhooks:read, webhooks:update and webhook_events:read; " +
				"put it where admin_key points to, and revoke the old one there. " +
				"Into a local store: {program} put --replace --store STORE --secret SECRET. One with rotate that may still make keys " +
				"gets the scopes that are configured: {program} rotate WORKSPACE-admin-key",
		},
		{
			Is: instantly.ErrPlan, Name: "no_plan", Category: Person, Scope: ScopeWorkspace, Outage: true,
			Remedy: "all keys live on; renew the workspace's plan at Instantly, then run again",
		},
		{
			Is: instantly.ErrBlocked, Name: "blocked_at_edge", Category: Passing, Scope: ScopeWorkspace, Outage: true,
			Remedy: "all keys live on; the network edge turned the request away: check for a proxy or an address on a block list",
		},
		{
			Is: instantly.ErrRateLimited, Name: "rate_limited", Category: Passing, Scope: ScopeWorkspace, Outage: true,
			Remedy: "all keys live on; other programs use up the workspace's budget. Run again later, or lower requests_per_second",
		},
		{
			Is: instantly.ErrUnauthorized, Name: "unauthorized", Category: Person, Scope: ScopeWorkspace, Outage: true,
			Remedy: "Instantly refuses the workspace's admin key: check it, or make a new one under Settings > Integrations > API Keys",
		},
		{
			Is: instantly.ErrForbidden, Name: "forbidden", Category: Person, Scope: ScopeWorkspace,
			Remedy: "all keys live on; the workspace's plan may not allow it: look in Instantly",
		},
		{
			Is: instantly.ErrRedirect, Name: "redirected", Category: Configuration, Scope: ScopeWorkspace,
			Remedy: "all keys live on; something other than Instantly answers: check base_url",
		},
		{
			Is: instantly.ErrMalformed, Name: "unreadable_answer", Category: Passing, Scope: ScopeWorkspace,
			Remedy: "all keys live on; if it lasts, something other than Instantly answers: check base_url",
		},
		{
			Is: instantly.ErrBadRequest, Name: "bad_request", Category: Configuration, Scope: ScopeTarget,
			Remedy: "all keys live on; Instantly refused the request: check the scopes, and base_url",
		},
		{
			Is: instantly.ErrInsecureURL, Name: "insecure_url", Category: Configuration, Scope: ScopeWorkspace,
			NoRemedy: "the configuration is refused for it before, with its place",
		},
		{
			Is: ErrNoKey, Name: "no_key", Category: Person, Scope: ScopeTarget,
			Remedy: `what consumers read can never work; "{program} rotate {target}" replaces it`,
		},
		{
			Is: ErrIndeterminate, Name: "indeterminate", Category: Passing, Scope: ScopeTarget, Attempt: true,
			Remedy: "all keys live on; run again later",
		},
		{
			Is: instantly.ErrUnavailable, Name: "api_unavailable", Category: Passing, Scope: ScopeWorkspace, Outage: true,
			Remedy: "all keys live on; run again when Instantly answers, or check base_url and the network",
		},
		{
			Is: instantly.ErrNotFound, Name: "api_not_found", Category: Passing, Scope: ScopeTarget,
			NoRemedy: "the client takes it for what was wanted, or reads again",
		},
		{
			Is: instantly.ErrNoKey, Name: "unsendable", Category: Person, Scope: ScopeTarget,
			NoRemedy: "it comes with what holds the text, which has the remedy",
		},
		{
			Is: instantly.ErrOutcomeUnknown, Name: "outcome_unknown", Category: Passing, Scope: ScopeTarget,
			NoRemedy: "it comes with another class that has the remedy; the next run cleans up",
		},
		{
			Is: secretstore.ErrScheduledForDeletion, Name: "store_scheduled_for_deletion", Category: Person, Scope: ScopeStore,
			Remedy: "consumers cannot read the secret any more: restore it, as the message says, or take the key out of the configuration",
		},
		{
			Is: secretstore.ErrUnfit, Name: "store_unfit", Category: Configuration, Scope: ScopeStore,
			Remedy: "no key was issued for it; the message says what the server lacks: let the store's endpoint be the real service, or an emulator that has it",
		},
		{
			Is: secretstore.ErrDenied, Name: "store_denied", Category: Person, Scope: ScopeStore,
			Remedy: "do what the message says, or give the rotator read and write access to the store",
		},
		{
			Is: secretstore.ErrNoCredentials, Name: "store_no_credentials", Category: Person, Scope: ScopeStore,
			Remedy: "the message says what is looked for: put it there, where the rotator can read it, or correct the section of the store in the configuration",
		},
		{
			Is: secretstore.ErrNotFound, Name: "store_not_found", Category: Person, Scope: ScopeStore,
			NoRemedy: "what to do depends on what is not there; the error says it",
		},
		{
			Is: secretstore.ErrConflict, Name: "store_conflict", Category: Passing, Scope: ScopeStore,
			NoRemedy: "the engine reads again, and reports a lost race",
		},
		{
			Is: secretstore.ErrCorrupt, Name: "store_corrupt", Category: Person, Scope: ScopeStore,
			Remedy: "what is stored cannot be read: restore it from a backup, or check that the identity is the one it was written with",
		},
		{
			Is: secretstore.ErrUnavailable, Name: "store_unavailable", Category: Passing, Scope: ScopeStore,
			Remedy: "run again when the store can be reached; all keys live on",
		},
		{
			Is: instantly.ErrTooLate, Name: "rate_limit_wait", Category: Passing, Scope: ScopeWorkspace,
			NoRemedy: "it comes with what did not answer in time",
		},
		{
			Is: context.DeadlineExceeded, Name: "timeout", Category: Passing, Scope: ScopeTarget,
			NoRemedy: "it comes with what did not answer in time",
		},
	}
}

// isOutage tells whether an error says that a workspace as a whole cannot be worked
// with.
func isOutage(err error) bool { return matches(err, func(c Class) bool { return c.Outage }) }

// matches tells whether some class of the error is as wanted.
func matches(err error, wanted func(Class) bool) bool {
	for _, c := range ClassesOf(err) {
		if wanted(c) {
			return true
		}
	}
	return false
}
