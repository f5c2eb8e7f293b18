package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// mutant is a bug and the claims that it must turn red.
type mutant struct {
	name string
	bend func(*bent)
	red  []string
}

// The types of the calls, for short.
type (
	ctxt  = context.Context
	snap  = secretstore.Snapshot
	vers  = secretstore.Version
	notes = secretstore.Notes
)

func describeMutants() []mutant {
	return []mutant{
		{"an empty secret is not found", func(b *bent) {
			b.describe = func(ctx ctxt) (snap, error) {
				if s := b.now(); len(s.Versions) == 0 && s.Notes.Failure.Count == 0 {
					return snap{}, secretstore.ErrNotFound
				}
				return b.base.Describe(ctx)
			}
		}, []string{"Describe of an empty secret gives no versions and no notes"}},
		{"identity of its own for every handle", func(b *bent) {
			var handles atomic.Int64
			b.lever.Open = func(*testing.T) secretstore.Store {
				handle, number := *b, handles.Add(1)
				handle.in = func(s snap) snap { s.Identity = b.now().Identity; return s }
				handle.out = func(s snap) snap { s.Identity = fmt.Sprint("handle ", number); return s }
				return &handle
			}
		}, []string{"Identity is the same from every handle and after every write"}},
		{"one identity for all", func(b *bent) {
			b.in = func(s snap) snap { s.Identity = b.now().Identity; return s }
			b.out = func(s snap) snap { s.Identity = "the same"; return s }
		}, []string{"Identity belongs to one secret only"}},
		{"revision never changes", func(b *bent) {
			b.in = func(s snap) snap { s.Revision = b.now().Revision; return s }
			b.out = func(s snap) snap { s.Revision = "1"; return s }
		}, []string{"Revision changes with every change"}},
		{"reading counts as a change", func(b *bent) {
			b.read = func(ctx ctxt, id string) (secret.Value, error) {
				b.base.ForgetPromoted()
				return b.base.Read(ctx, id)
			}
		}, []string{"Reads change nothing"}},
		{"snapshots share their maps", func(b *bent) {
			var shared snap
			b.out = func(s snap) snap {
				if s.Revision != shared.Revision {
					shared = s
				}
				return shared
			}
		}, []string{"A snapshot once given never changes"}},
		{"a handle shows what another saw first", func(b *bent) {
			first := b.now()
			b.lever.Open = func(*testing.T) secretstore.Store {
				handle := *b
				if len(b.now().Notes.Failure.Reason) > 0 {
					handle.describe = func(ctxt) (snap, error) { return first, nil }
				}
				return &handle
			}
		}, []string{"Another handle sees every write"}},
	}
}

func annotateMutants() []mutant {
	annotate := func(bend func(old notes, n *notes)) func(*bent) {
		return func(b *bent) {
			b.annotate = func(ctx ctxt, seen snap, n notes) (snap, error) {
				bend(b.now().Notes, &n)
				return b.base.Annotate(ctx, seen, n)
			}
		}
	}
	return []mutant{
		{"notes are merged", annotate(func(old notes, n *notes) {
			if n.Intent.IsZero() {
				n.Intent = old.Intent
			}
		}), []string{"Annotate replaces the notes whole", "Annotate with nothing clears the notes"}},
		{"annotate forgets the pending version", func(b *bent) {
			b.annotate = func(ctx ctxt, seen snap, n notes) (snap, error) {
				seen, err := b.base.Destroy(ctx, seen, seen.Versions[secretstore.Pending].ID)
				if err != nil {
					return snap{}, err
				}
				return b.base.Annotate(ctx, seen, n)
			}
		}, []string{"Annotate touches no version"}},
		{"a long spec is cut", annotate(func(_ notes, n *notes) {
			n.Intent.Spec = n.Intent.Spec[:min(len(n.Intent.Spec), secretstore.MaxSpec-1)]
		}), []string{"Notes and versions keep a spec of the greatest length"}},
		{"a spec is trimmed", annotate(func(_ notes, n *notes) {
			n.Intent.Spec = secretstore.Spec(strings.TrimSpace(string(n.Intent.Spec)))
		}), []string{"Notes and versions keep every character that a spec may have"}},
		{"the reason is cut", annotate(func(_ notes, n *notes) {
			n.Failure.Reason = n.Failure.Reason[:min(len(n.Failure.Reason), secretstore.MaxReason-1)]
		}), []string{"Notes keep a reason of the greatest length"}},
		{"a hold never ends by itself", annotate(func(_ notes, n *notes) { n.Hold.Until = time.Time{} }),
			[]string{"Notes keep a hold, with an end and without"}},
		{"an incident loses its name", annotate(func(_ notes, n *notes) { n.Incident.ID = "" }),
			[]string{"Notes keep an incident, open and resolved"}},
		{"a waiver loses its key", annotate(func(_ notes, n *notes) { n.Waiver.KeyID = "" }),
			[]string{"Notes keep a waiver"}},
		{"a receipt is cut", annotate(func(_ notes, n *notes) {
			n.Receipt.Sinks = n.Receipt.Sinks[:min(len(n.Receipt.Sinks), secretstore.MaxReceipt-1)]
		}), []string{"Notes keep the receipt of sinks"}},
		{"an incident is open again", annotate(func(_ notes, n *notes) { n.Incident.Resolved = time.Time{} }),
			[]string{"Notes keep an incident, open and resolved"}},
		{"a prolonged lease is not written", annotate(func(old notes, n *notes) {
			if n.Intent.Nonce == old.Intent.Nonce && !old.Intent.IsZero() {
				n.Intent = old.Intent
			}
		}), []string{"Notes keep who holds an intent, and until when"}},
		{"a hold goes with the failure", annotate(func(old notes, n *notes) {
			if old.Failure.Count > n.Failure.Count {
				n.Hold = secretstore.Hold{}
			}
		}), []string{"Each note is replaced without touching the others"}},
		{"times lose their zone", annotate(func(_ notes, n *notes) {
			at := n.Intent.At
			n.Intent.At = time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		}), []string{"Notes keep times to the second in any zone"}},
		{"grace is whole hours", annotate(func(_ notes, n *notes) {
			n.Intent.Grace = n.Intent.Grace.Truncate(time.Hour)
		}), []string{"Notes keep any grace"}},
	}
}

func stageMutants() []mutant {
	stage := func(bend func(v *vers, value *secret.Value)) func(*bent) {
		return func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				bend(&v, &value)
				return b.base.Stage(ctx, seen, v, value)
			}
		}
	}
	promoteAtOnce := func(when func(snap) bool) func(*bent) {
		return func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				staged, err := b.base.Stage(ctx, seen, v, value)
				if err != nil || !when(seen) {
					return staged, err
				}
				return b.base.Promote(ctx, staged, v.ID, time.Now())
			}
		}
	}
	return []mutant{
		{"the account is lost", stage(func(v *vers, _ *secret.Value) { v.Account = "" }),
			[]string{"Stage stores a pending version with its intent and account"}},
		{"the caller's promotion time is believed", func(b *bent) {
			b.out = showStage(secretstore.Pending, func(v *vers) { v.Promoted = time.Unix(1, 0) })
		}, []string{"Stage takes no other fact from the caller"}},
		{"a staged version is current at once", promoteAtOnce(func(snap) bool { return true }),
			[]string{"Stage on an empty secret makes nothing current"}},
		{"the first value is current at once, as on AWS", promoteAtOnce(func(seen snap) bool { return len(seen.Versions) == 0 }),
			[]string{"Stage on an empty secret makes nothing current"}},
		{"a staged version shows in current", func(b *bent) {
			b.out = func(s snap) snap {
				if v, ok := s.Versions[secretstore.Pending]; ok {
					s.Versions[secretstore.Current] = v
				}
				return s
			}
		}, []string{"Stage is invisible to readers of current"}},
		{"stage keeps the intent", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				staged, err := b.base.Stage(ctx, seen, v, value)
				if err != nil {
					return staged, err
				}
				return b.base.Annotate(ctx, staged, seen.Notes)
			}
		}, []string{"Stage clears the intent and keeps the failure"}},
		{"one pending version bars the next", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				if _, taken := seen.Versions[secretstore.Pending]; taken {
					return snap{}, secretstore.ErrConflict
				}
				return b.base.Stage(ctx, seen, v, value)
			}
		}, []string{"Stage forgets another pending version", "Staging the pending version again changes nothing"}},
		{"a pending version is overwritten", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				if seen.Versions[secretstore.Pending].ID == v.ID {
					cleared, err := b.base.Destroy(ctx, seen, v.ID)
					if err != nil {
						return snap{}, err
					}
					seen = cleared
				}
				return b.base.Stage(ctx, seen, v, value)
			}
		}, []string{"Staging the pending version again changes nothing", "Staging the pending version with another value is a conflict"}},
		{"staging what is held succeeds", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				if _, _, held := seen.Find(v.ID); held {
					return seen, nil
				}
				return b.base.Stage(ctx, seen, v, value)
			}
		}, []string{"Staging the current version is a conflict", "Staging the previous version is a conflict"}},
		{"values are trimmed", func(b *bent) {
			b.stage = func(ctx ctxt, seen snap, v vers, value secret.Value) (snap, error) {
				return b.base.Stage(ctx, seen, v, secret.New(strings.TrimSpace(value.Reveal())))
			}
		}, []string{"Values come back byte for byte"}},
		{"values are cut", stage(func(_ *vers, value *secret.Value) {
			text := value.Reveal()
			*value = secret.New(text[:min(len(text), 64*1024-1)])
		}), []string{"A value of 64 KiB comes back whole"}},
		{"only current and pending can be read", func(b *bent) {
			b.read = func(ctx ctxt, id string) (secret.Value, error) {
				if b.now().Versions[secretstore.Previous].ID == id {
					return secret.Value{}, secretstore.ErrNotFound
				}
				return b.base.Read(ctx, id)
			}
		}, []string{"Read gives the value at every stage"}},
		{"an unknown version reads as nothing", func(b *bent) {
			b.read = func(ctx ctxt, id string) (secret.Value, error) {
				if _, _, held := b.now().Find(id); !held {
					return secret.Value{}, nil
				}
				return b.base.Read(ctx, id)
			}
		}, []string{"Read of a version that is not held is not found"}},
	}
}
