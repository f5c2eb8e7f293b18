// Package rotator is the rotation engine: it keeps each target's API key fresh
// without a consumer ever holding a dead one, whatever crashes.
//
// A rotation is not a script, it is a state that gets reconciled. [Rotator.Reconcile]
// reads what the target's stores say and which keys are alive at Instantly, and
// asks one pure function, decide, for the next step. It performs the step, reads
// again, and stops when nothing is left to do. A crash is just an early stop:
// the next run sees the same facts and goes on. The daemon, the one-shot command
// and the CronJob are three ways to call Reconcile. There is no database and no
// state file: everything that must outlive a run is in the stores.
//
// The life of a key:
//
//	reserve → issue → try → stage → verify → promote → deliver → supply → (grace) → revoke → prove → destroy
//
//	reserve  write the intent (nonce, time, scopes, grace) beside the primary's
//	         versions, by compare-and-swap: a key whose create was never answered
//	         can be found by its name, and two instances do not both issue
//	issue    create the key at Instantly, once, never retried
//	try      test call with the value still in memory: nothing untested is stored
//	stage    store the value as pending
//	verify   read the pending value back and make the test call with that
//	promote  pending → current → previous, the one moment that matters
//	deliver  the same (stage, verify, promote) in the stores that follow
//	supply   the same key in the target's sinks, which perhaps cannot be read; see sinks.go
//	converge consumers are brought to the new key, where that was configured
//	grace    the old key stays alive while consumers that cache converge, counted
//	         from the promotion in the store, or the sink, that took the new key last
//	revoke   verify the current version of every store again, read every store
//	         again, then delete the old key at Instantly; in a later run than the
//	         one that displaced it
//	prove    the old value gets a 401 and the full key list lacks its id
//	destroy  forget the old version in the stores, the primary's last
//
// Beside it: sweep (revoke keys of ours that nothing refers to and that were never current), discard (give
// up a key that never became valid), cancel (drop an intent nobody goes on with),
// assume (have the issuer act with a new key, where the target is the issuer's own
// credential: see [Successor]).
//
// A secret that is not shown to the issuer but sent by it has another order: see [Senders].
//
// Adopt records a value of unknown origin as the key's that it is: see adopt.go.
//
// # Why it is safe
//
// The rules are in CONTRIBUTING.md; where they are kept:
//
//   - A version is promoted only if its value, read back, just passed a test call:
//     decide's rule "pending".
//   - A key is swept only if every store, read after the key was
//     listed, shows neither a version nor an intent that refers to it. From that
//     moment on it can never be staged: the instance that issued it can do so
//     only on the snapshot that held its intent. Hence the logical clock in
//     [State]: what was seen before what. A key that may ever have been current, since
//     it is not younger than all of which there is a version, or none is left, is not
//     swept but retired, like a previous version. An intent that stood until this run
//     took it away says that its key never was.
//   - While a store gives consumers a value of unknown origin, or did in this run, the
//     target is quarantined: nothing is revoked or swept, until a rotation has replaced
//     the value and its grace is over.
//   - A key is revoked only if rule "retire" finds nothing against it, on
//     observations of this run.
//   - Stores that follow are read before the primary, so that a rotation by
//     another instance is never taken for a change by hand.
//   - A promotion is written down as of the latest instant at which it can have
//     happened, so that the grace period counted from there is never too short;
//     once more if it took longer, since the process was stopped meanwhile.
//   - Every doubt (an error, an indeterminate verdict, a conflict) ends the run
//     with both keys alive.
//
// Where things are: decide.go (the order of the rules), rules_*.go (one file per
// part of a key's life), reconcile.go (the loop), failure.go (what is kept of
// what failed), observations.go and effects.go (what steps do), status.go (what
// status and plan show).
package rotator
