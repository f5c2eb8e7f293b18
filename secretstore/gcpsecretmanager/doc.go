// Package gcpsecretmanager is a [secretstore.Store] in GCP Secret Manager.
//
// # What is kept where
//
// A key's value is a version of the secret, as the configured form writes it.
// Everything else is one annotation of the secret, instantly-rotator-state: which
// version is pending, current and previous, with the key's id, the version's
// number and its checksum, the notes, and whose the secret is. It is the truth.
// The aliases pending, current and previous mirror it: they are written with it,
// never relied upon, and mended at the next write.
//
// Every write of it is an UpdateSecret under the etag of the secret, which is the
// compare-and-swap. Edits of labels, aliases and other annotations change the
// etag too; such a write is made again. All annotations of a secret together must
// have less than 16 KiB: that is checked before the call.
//
// # Readers of the latest version
//
// Most applications read versions/latest: the newest version, whatever its state
// and stage. It must be a living key at every instant, although a version is what
// readers get as soon as it is added, and the service can neither add one under
// an etag nor tell a repeated request. Hence:
//
//   - A version is announced before it is added: an update under the etag says
//     which key is to come, with the checksum of its value. Whoever lost the race
//     loses it there, before he adds anything.
//   - Until it has come, all is as before: the intent still refers to the key. From
//     then on all is as after, whether the third call, which records its number,
//     was made or not: the next read knows the version by its checksum. So a lost
//     answer adds nothing twice.
//   - While a version is announced, other writers keep off ([secretstore.ErrConflict])
//     for a minute: the key is not given up while it may be about to arrive.
//     Announcing and adding have half a minute.
//   - A pending version that is given up has the current value put on top of it
//     first. If there is no current version it is destroyed: readers get an error,
//     not a dead key.
//   - A version is destroyed, or disabled, after the annotation and the aliases no
//     longer name it. What a crash leaves over, the next write sees to. Until then
//     the snapshot says that a write is unfinished if readers of the latest version
//     still get it.
//
// # What somebody else puts on top
//
// A version on top that is neither recorded nor announced was put there by hand.
// It is shown as the current version, foreign, and ours as the previous one, since
// that is what readers of the latest version have. But it is not given the place
// of a previous version of ours whose key lives on for its grace: then it is shown
// as pending until that is over. The engine tests foreign versions; a dead one it
// replaces. Foreign versions are never destroyed: they may be Terraform's, which
// would make them anew.
//
// By its checksum a version is known that has the value of one on record. That of
// the current or the pending one is just another number for it. That of the
// previous one means that somebody went back to it: it is current then. One that
// was given up, such as a request that was on its way for longer than a minute
// and whose sender was killed, makes the current version count as pending: the
// engine verifies and promotes it, that puts it on top, and what came late is
// destroyed. A sender that lives does so by itself.
//
// The service cannot compare and swap what a person adds. A version that comes
// between a read and a write counts as put after the write, unless the write added
// one too: then the gap in the numbers shows it, and it counts as put before.
//
// A version that somebody disabled or destroyed is not found by Read. A disabled
// version on top that is not ours is ignored.
//
// A tool may wipe the annotation in mid-rotation, when a new version lies on top of
// the current one. It stays there then, of unknown origin like every version without
// a record: to take it away would leave readers of the latest version nothing. Where
// nothing is recorded and the newest version is not enabled, since somebody disabled or
// destroyed it, the newest enabled one below it, by at most twenty, is shown as the
// previous version, foreign: readers of the latest version get nothing, but may have
// cached what is in that one. It stays until it is forgotten, and is not sought
// again after the next write.
//
// # What is known from documents only
//
// The stand-in in package gcptest answers as recordings of the real service do for
// Create, Add, Access, GetVersion, Delete and absent secrets. From Google's
// documents only are: etags (stale ones are FAILED_PRECONDITION; AIP-154 says
// ABORTED, and both are taken for it), update masks, limits of annotations and
// aliases, that a version which an alias names cannot be destroyed, states of
// versions, permissions, regional secrets, and that AddSecretVersion leaves the
// secret's etag alone. A server at a configured endpoint is asked, once, whether
// it compares etags; one that does not is refused.
package gcpsecretmanager
