// Package trail is an append-only record of what was done: before each effect its
// intent, after it what came of it.
//
// # Form
//
// A trail is a folder with one log, or one that is written to an output. A log is JSON lines: each entry is one line, and the
// record of a leaf in a Merkle tree as of Go's checksum database (golang.org/x/mod/sumdb/tlog).
// Between them are lines with checkpoints: the size and the root of the tree, signed as
// notes (golang.org/x/mod/sumdb/note). So anybody can check with public code that entries
// were not changed, removed or reordered; and whoever keeps a checkpoint elsewhere, that
// none was cut off at the end. Each entry has the hash of the one before it, by which
// [Verifier] names the first that is not as it was written.
//
//	current.jsonl           the lines that are written now
//	000000012345.jsonl.gz   those before, named by their first entry
//	key, key.pub            what signs (0600), and what others check with
//	lock                    held for the length of a write
//
// A log begins, and so does each file of it, with a line that has what the tree needs in
// order to grow. So opening one reads its last file only, and the files of long ago can be
// taken away: what is left can still be verified.
//
// Processes of one machine share a log, by the lock. Machines have one each.
//
// # Without a disk
//
// A [Stream] writes the same lines, but to an output that others collect. What a file's head
// has (the tree's size and right edge, the hash of the last entry, the newest checkpoint) is
// kept on a [Shelf], whose states are compared and swapped: so processes cannot fork the
// chain. Each process begins with the head that it found there.
//
// Before an effect that cannot be taken back the line is written, then the state swapped,
// then a checkpoint written behind it; if the swap fails the effect does not happen. So a
// crash leaves one of these:
//
//   - Before the swap: the lines since the last one were collected, and are not part of the
//     log, which goes on from before them. They tell of no effect that cannot be taken back,
//     but may have been the outcome of one: its intent stands without, as after any crash.
//   - After it: all are part of the log. The head that the next process begins with says so,
//     or the checkpoint on the shelf.
//
// Who loses the swap to another process goes on from the state of that one, and writes again
// what is not kept. So of what was collected, a checkpoint, or a head that goes on from there,
// tells what is part of the log ([Verify] of a file). What else was written before is left
// out, and counted. The lines of each process have to be in one piece and in their order; the
// order of the processes does not matter. The shelf's checkpoint tells of what is missing at
// the end; whoever can write the shelf can take that away, as with a folder.
//
// # What is durable, and when
//
// A line is written with one write(2) before the effect that it tells of. A process that is
// killed loses none. Before an effect that cannot be taken back (see [Log.Append]) the log
// is synced, with all that was written until then, and a checkpoint signed: three times a
// rotation. Those who wait for the disk at the same time share one sync. A machine that
// loses its power may lose the lines since the last sync, which tell of no such effect. A
// line that was cut off is taken away when the log is opened again, and that is an entry.
//
// # When it cannot be written
//
// An effect whose intent cannot be written does not happen: package rotator asks first.
// Its own rules stand above, so that a full disk loses no key:
//
//   - The intent of an issue covers what must follow it: that the key in hand is stored as
//     pending in the primary store, or revoked. Nobody asks again for these; they are told
//     when there is room, like any outcome.
//   - What begins nothing that needs an end (promote, revoke, destroy, sweep, deliver) is
//     not done. Both keys live on, and the next run asks again.
//   - An outcome that cannot be written is kept in memory, and written before the next
//     line. If the process ends first, its intent stands without one: what became of it is
//     not known to the trail, and says so.
//   - A failure to write the trail is not noted down beside the secret, since that would be
//     an effect without an intent.
//
// Values never come here: entries have ids, names and what errors say, which carry none.
package trail
