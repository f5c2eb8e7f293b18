package rotator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Workspace is an Instantly workspace as all of its targets share it: one key
// list serves them all.
type Workspace struct {
	Name    string
	issuer  Issuer
	account string

	turn    chan struct{} // held while the list is read
	listing listing       // the newest
	failed  failedListing // the newest that failed

	checking chan struct{} // held while the admin key is checked
	checked  time.Time     // when Preflight last said yes

	reach     breaker // of reading the key list
	rotations breaker // of rotations in this workspace

	mu       sync.Mutex
	begun    int       // number of lists begun
	pairedAt time.Time // when a list last had a new key under the id that its create answered
}

// paired notes that a list had a new key under the id that its create answered.
func (w *Workspace) paired(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pairedAt = now
}

// pairedSince tells whether one had since then.
func (w *Workspace) pairedSince(t time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pairedAt.After(t)
}

// listing is one reading of the whole key list.
type listing struct {
	number  int // counts readings; 0 for none
	keys    map[string]Key
	named   map[string][]string // ids of the keys named by us, by the store in their names
	issued  map[string][]string // the stores in their names, by owner and target
	account string
}

// failedListing is a reading of the key list that came to nothing. Those who
// waited for it share its error: asking again for each of them would not help.
type failedListing struct {
	number int
	err    error
}

// NewWorkspace binds a workspace's name to its issuer. If account is not
// empty, nothing is touched while the admin key resolves to another one.
func NewWorkspace(name string, issuer Issuer, account string) *Workspace {
	where := "workspace " + name
	return &Workspace{
		Name: name, issuer: issuer, account: account,
		turn: make(chan struct{}, 1), checking: make(chan struct{}, 1),
		reach: breaker{where: where}, rotations: breaker{where: where},
	}
}

// mark gives a point in time: listings begun after it have a greater number.
func (w *Workspace) mark() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begun
}

// listedSince gives a listing whose reading began after mark. Callers that wait
// at the same time share one. After an outage it is not asked for again before
// the time for a probe has come, unless forced.
func (w *Workspace) listedSince(ctx context.Context, mark int, now time.Time, force bool) (listing, error) {
	if err := w.acquire(ctx, w.turn, "its key list"); err != nil {
		return listing{}, err
	}
	defer func() { <-w.turn }()
	switch {
	case w.listing.number > mark:
		return w.listing, nil
	case w.failed.number > mark:
		return listing{}, w.failed.err
	}
	if err := w.reach.allow(now); err != nil && !force {
		return listing{}, err
	}
	l, err := w.list(ctx)
	if err != nil {
		err = fmt.Errorf("workspace %s: %w", w.Name, err)
		if ctx.Err() == nil { // else it is this caller's own failure
			w.failed = failedListing{w.begun, err}
			if isOutage(err) {
				w.reach.trip(now, err)
			}
		}
		return listing{}, err
	}
	w.reach.mend()
	w.listing = l
	return l, nil
}

// CircuitOpen gives why nothing is begun in the workspace now; nil if it is not so.
func (w *Workspace) CircuitOpen(now time.Time) error {
	return errors.Join(w.reach.why(now), w.rotations.why(now))
}

func (w *Workspace) list(ctx context.Context) (listing, error) {
	w.mu.Lock()
	w.begun++
	l := listing{number: w.begun}
	w.mu.Unlock()

	keys, err := w.issuer.List(ctx)
	if err != nil {
		return listing{}, err
	}
	l.keys, l.named, l.issued = make(map[string]Key, len(keys)), make(map[string][]string), make(map[string][]string)
	for _, k := range keys {
		k.Value = secret.Value{} // a list may carry values; nobody needs them
		l.keys[k.ID] = k
		if name, ok := parseKeyName(k.Name); ok {
			l.named[name.Store] = append(l.named[name.Store], k.ID)
			of := issuedFor(name.Owner, name.Target)
			l.issued[of] = append(l.issued[of], name.Store)
		}
	}
	l.account, err = w.whose(ctx, keys)
	return l, err
}

// whose gives the one account all listed keys belong to. An empty list
// says nothing, so there the API is asked.
func (w *Workspace) whose(ctx context.Context, keys []Key) (string, error) {
	org := ""
	for _, k := range keys {
		switch {
		case k.Account == "" || k.Account == org:
		case org == "":
			org = k.Account
		default:
			return "", fmt.Errorf("%w: the key list names both %s and %s", ErrOrganization, org, k.Account)
		}
	}
	if org == "" {
		var err error
		if org, err = w.issuer.Account(ctx); err != nil {
			return "", err
		}
	}
	if w.account == "" || org == w.account {
		return org, nil
	}
	if org == "" {
		return "", fmt.Errorf("%w: %s is configured but the API does not tell; the admin key must be one with workspaces:read", ErrOrganization, w.account)
	}
	return "", fmt.Errorf("%w: %s is configured but the admin key belongs to %s", ErrOrganization, w.account, org)
}

// checkedFor is how long the admin key's ability is taken for granted.
const checkedFor = time.Hour

// check tells whether the admin key can finish what it begins. The answer is
// shared by the workspace's targets.
func (w *Workspace) check(ctx context.Context, now time.Time) error {
	if err := w.acquire(ctx, w.checking, "the check of its admin key"); err != nil {
		return err
	}
	defer func() { <-w.checking }()
	if !w.checked.IsZero() && now.Sub(w.checked) < checkedFor {
		return nil
	}
	if err := w.issuer.Preflight(ctx); err != nil {
		return fmt.Errorf("workspace %s: %w", w.Name, err)
	}
	w.checked = now
	return nil
}

// succeeded takes note that the issuer acts with another credential.
func (w *Workspace) succeeded() {
	w.checking <- struct{}{}
	defer func() { <-w.checking }()
	w.checked = time.Time{}
}

// acquire waits for this caller's turn.
func (w *Workspace) acquire(ctx context.Context, turn chan<- struct{}, what string) error {
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("workspace %s: waiting for %s: %w", w.Name, what, ctx.Err())
	}
}
