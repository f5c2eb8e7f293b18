package rotator

import (
	"context"
	"errors"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// ReasonOf names what kind of thing went wrong in one word, for metrics and to
// tell whether two failures are of the same kind. "other" if no word fits.
func ReasonOf(err error) string {
	for _, r := range reasons() {
		if errors.Is(err, r.is) {
			return r.word
		}
	}
	return "other"
}

type reason struct {
	is   error
	word string
}

// reasons in the order in which they are tried: the engine's own first, since
// they may wrap the others.
func reasons() []reason {
	return []reason{
		{ErrFrozen, "frozen"},
		{ErrLostRace, "lost_race"},
		{ErrHeld, "held"},
		{ErrBusy, "busy"},
		{ErrInGrace, "in_grace"},
		{ErrGateOpen, "gate_open"},
		{ErrOrganization, "wrong_organization"},
		{ErrNeverValid, "never_valid"},
		{ErrUnlisted, "unlisted"},
		{ErrStillAlive, "still_alive"},
		{ErrByHand, "changed_by_hand"},
		{ErrScopes, "wrong_scopes"},
		{ErrPanic, "internal"},
		{ErrTooManySteps, "internal"},
		{instantly.ErrPlan, "no_plan"},
		{instantly.ErrBlocked, "blocked_at_edge"},
		{instantly.ErrRateLimited, "rate_limited"},
		{instantly.ErrScope, "admin_key_scope"},
		{instantly.ErrUnauthorized, "unauthorized"},
		{instantly.ErrForbidden, "forbidden"},
		{instantly.ErrUnavailable, "api_unavailable"},
		{instantly.ErrMalformed, "unreadable_answer"},
		{instantly.ErrRedirect, "unreadable_answer"},
		{instantly.ErrBadRequest, "bad_request"},
		{ErrIndeterminate, "indeterminate"},
		{secretstore.ErrDenied, "store_denied"},
		{secretstore.ErrNotFound, "store_not_found"},
		{secretstore.ErrConflict, "store_conflict"},
		{secretstore.ErrCorrupt, "store_corrupt"},
		{secretstore.ErrUnavailable, "store_unavailable"},
		{context.DeadlineExceeded, "timeout"},
	}
}
