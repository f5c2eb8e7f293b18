// Package kubernetessecret is a [secretstore.Store] in a Kubernetes Secret.
//
// # What is kept where
//
// With the data key api-key configured, which is the default:
//
//	data api-key             the current value: what consumers mount or read
//	data api-key-previous    the value before it, while its key lives on
//	data api-key-pending     a value under test, while a rotation is under way
//	annotation instantly-rotator.dev/api-key
//	                         everything else: which version is on which stage,
//	                         since when, the notes, and whose the secret is
//
// Other data keys, labels, annotations, the type, owners and finalizers are never
// touched: every write is a merge patch that names only what it changes. Two
// targets may share one Secret under two data keys.
//
// # Compare and swap
//
// Every write is one PATCH that carries the resourceVersion it was decided on, so
// values, stages and notes change together or not at all, and readers of api-key
// see the old value or the new one. A 409 may be somebody's edit of a label: then
// the Secret is read again, and if what is ours in it is as before, the write is
// made again on top of the edit, up to five times. Writes are sent once:
// client-go's own retries are off for them, since the second arrival of a write
// that had its effect would look like a lost race.
//
// Identity is namespace/name/key and the Secret's UID: one that was deleted and
// made anew is another secret. A copy of the annotation on another Secret (tools
// that mirror Secrets between namespaces, a restored backup) is not believed: two
// of them would revoke each other's keys.
//
// # What a human, or kubectl apply, Helm or Argo CD did
//
// The annotation has a digest of each value, the first half of SHA-256 over the
// Secret's UID and the value. It tells nothing to those who can read it, since
// they can read the value beside it, and the values are long random keys.
//
//   - A current value of which there is no record is shown as the current version,
//     foreign, and the one it displaced as previous, in place of one that stood
//     there, so that the key that was in use last keeps its grace. Its value is
//     gone. The name of a foreign version has 32 bits of its digest in it.
//   - If the new value is that of the pending or the previous version, that one is
//     current, promoted at a time that is not known: its grace counts from now.
//   - If the current value is gone, there is no current version, and a rotation is
//     due; the version that was there is previous. While another one is previous
//     already, it stays current instead, and cannot be read, until there is room.
//   - A pending value that is not what was staged is given up, never promoted.
//   - Without the annotation every value there is foreign, except that a pending
//     one is given up. Nothing is revoked but what later rotations issue.
//
// A foreign version's Created is when, by the Secret's managedFields, its value
// was written last or later; zero if they do not say.
//
// # What it needs
//
// Permissions, as verbs on the resource secrets of the core group, all of which
// can be restricted by resourceNames but create:
//
//	get      every read
//	patch    every write
//	create   only with CreateMissing, at the first write
//
// It never lists, watches, updates (PUT) or deletes.
//
// An immutable Secret, or one that is being deleted, is read but refused at the
// first write: before a key is issued. So is one in which a further value would
// not fit: all values of a Secret have 1 MiB, its annotations 256 KiB.
package kubernetessecret
