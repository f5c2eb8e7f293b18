// Package vaultkv is a [secretstore.Store] in the secrets engine KV, version 2, of
// HashiCorp Vault or OpenBao.
//
// # What is kept where
//
// With the path growth/instantly of a mount:
//
//	growth/instantly          {api_key: …}: what consumers read, and nothing that is
//	                          not for them. Other fields in it are kept
//	growth/instantly-rotator  everything else: which version is on which stage, since
//	                          when, the notes, whose the secret is (state, as JSON),
//	                          and the values, by stage (pending, current, previous)
//
// Two paths, since whoever reads a path reads all of it: with one, each consumer would
// have the value under test and the one before, those who take an object as it is (env
// files, synchronized Secrets) would export them, each note would look like a new
// version to those who restart on one, and `kv put` by hand would wipe the notes, the
// hold and the names of keys that live. Custom metadata cannot keep state: it is
// written without check-and-set.
//
// # Compare and swap
//
// Every write carries the version that it was decided on (cas). All but one change the
// second path only, in one write. A promotion changes both, and no transaction spans
// two paths:
//
//  1. the second path is written: nothing in it changes stage, but it says that this
//     pending version is to be written over version N of the first path;
//  2. the first path is written, only if N is still its newest version.
//
// The second write is the promotion: consumers see the value before or the new one, and
// the store says what they see. The first path is the authority on what is current, the
// second one on all else. So after a crash between the two nothing has happened: the
// version is pending, as before. After a crash behind the second, everything has: who
// reads next finds the announced value as version N+1 of the first path, and draws the
// conclusion; the next write puts it down.
//
// An announcement that has not come true may still do so, as long as its writer may be
// on his way: a write that was decided on the state without it must not be overtaken.
// So before any other write the first path is written again as it is (over N, which
// makes a version N+1 of the same value): from then on the announced write must fail.
// A promotion is therefore never of a version that somebody discarded meanwhile, and
// never under notes other than those it was decided on.
//
// If somebody wrote the first path by hand right behind a promotion, version N+1 is
// read. If it cannot be any more (max_versions 1), the promotion counts as having
// happened: its key is then retired with its grace and not discarded.
//
// What is shown was so at one moment. The second path is read first, then the first;
// if the newest version of that is not the one that the state knows of, the second is
// read once more and must not have changed. A server that answers with less than what
// is known to have been written (a standby that is behind) counts as unavailable.
//
// A write on the second path that was decided on a snapshot finds a change made by
// hand in the first path by reading it right before. A hand that writes between this
// read and the write is noticed by the next call: nothing is lost by it, since each
// such write leaves the first path alone.
//
// Identity is a random id that is made with the second path, and the namespace, mount
// and path. A copy of the second path elsewhere is not believed.
//
// # What a human did
//
// A value at the first path that is not the current one is shown as the current version,
// foreign, unless it is that of the pending or the previous version, which is current
// then, promoted at a time that is not known. What it displaced is previous, in place of
// one that stood there. If the field is gone, or the newest version is deleted, there is
// no current version, and a rotation is due. The name of a foreign version has 32 bits
// of a digest of its value in it.
//
// # Old versions
//
// KV keeps old versions, ten unless told otherwise. Of the second path it keeps one: the
// store sets max_versions to 1 when it makes it. Of the first path it keeps what you set,
// but each version that held a key which is forgotten is destroyed with it (destroy, not
// delete, which can be undone). A max_versions of any size is fine: nothing is read from
// old versions but as said above.
//
// # What it needs
//
// Capabilities, for each path; deploy/iam/vault-policy.hcl has them:
//
//	MOUNT/data/PATH              create, read, update
//	MOUNT/destroy/PATH           update
//	MOUNT/data/PATH-rotator      create, read, update
//	MOUNT/metadata/PATH-rotator  create, update
//
// Consumers need read on MOUNT/data/PATH. It never lists, patches or deletes. A token that
// expires is renewed by itself (auth/token/renew-self), which the policy default allows; so
// a look at the secret must come within half of its time.
package vaultkv
