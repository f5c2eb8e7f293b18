// Package azurekeyvault is a [secretstore.Store] in Azure Key Vault, for stores that
// follow. It may not be a target's primary: see "What keeps two writers apart".
//
// # What is kept where
//
// With the secret sending configured:
//
//	secret sending           the current value: its newest version is what consumers read.
//	                         Older versions stay enabled as long as their keys live.
//	secret sending-rotator   everything else, as JSON: which version is on which stage,
//	                         since when, the notes, whose the secret is, and the value
//	                         of a pending version
//
// A set is current at once in Key Vault: there is no version that readers of the newest
// one do not get, and a disabled one on top is one on which they fail. So a pending value
// is not where they look. A version on stage current bears tags that say which key it
// holds and since when, so that one write, that of the value, promotes; what it leaves
// to do in sending-rotator the next read knows and the next write does. Tags of others and
// the content type are carried from version to version; ours are three of the fifteen that
// a version may have.
//
// Both secrets are made by the first set. No version can be deleted by itself: a
// forgotten one of ours is disabled, and so is an old version of sending-rotator with a
// pending value in it. Versions that somebody else set are forgotten and left as they
// are: they may be Terraform's. The rotator never deletes, purges or recovers.
//
// Values have at most 25 KB.
//
// # What keeps two writers apart
//
// Nothing that could be shown. Key Vault has no conditional write: a set takes no
// If-Match, and a version that is there is no reason to refuse another one. An append-only
// list with an order that everybody sees would be enough to compare and swap; but the
// order of the list of versions is not documented, versions are stamped in whole seconds,
// and nobody promises that a list, or the newest version, has what was set just before.
// So:
//
//   - The primary of a target, on a store that compares and swaps, keeps the notes and
//     decides: two rotators never issue two keys for one rotation, and a follower is only
//     ever brought to the key that the primary has. The configuration refuses a primary
//     here, by [storekind.Kind.FollowerOnly].
//   - A write reads both secrets first and is ErrConflict if they are not as seen. What
//     is sent more than ten seconds later than that read began is not sent at all, by the
//     clock on the wall, since a machine may have slept. Nothing that writes is sent twice.
//   - After a promotion, before it is written down, the state is read again. If another
//     writer came meanwhile, his value is put on top again, and the answer is ErrConflict.
//     After each write of the state it is read back; what another one has replaced is
//     ErrConflict too.
//   - Every write leaves what the next read can tell from one that was made in order: a
//     value on top of which there is no record is foreign, and while a store holds one
//     nothing of the target is revoked.
//
// The window is the time from the answer to the read until the write has arrived. Two
// writers in it that bring the same key do no harm. For consumers to get a dead key, one
// of them must be stopped right in it, after the check of the clock, for longer than the
// grace period, while another one rotates twice; and it lasts until the next run, which finds
// the follower behind the primary and brings the key once more. A grace period is at least
// minutes, where a request that is on its way is given up after ten seconds.
//
// # What a person, or a tool, did
//
//   - A newest version that is not on record is shown as the current one, foreign, and the
//     one it displaced as previous, in place of one that stood there.
//   - If its value is that of the pending or the previous version, that one is current,
//     promoted at a time that is not known.
//   - If the newest version is disabled, or the secret is gone, there is no current version
//     and the one that was is previous; or it stays, and cannot be read, while another
//     one is previous.
//   - A secret that was deleted and can be recovered is [secretstore.ErrScheduledForDeletion],
//     whether purge protection is on or not: its name takes no value until it is recovered or
//     purged.
//   - If sending-rotator is gone, the value in sending is foreign.
//
// # What it needs
//
// Data actions under Microsoft.KeyVault/vaults/secrets, see deploy/iam/azure-role.json:
//
//	getSecret/action      every read
//	setSecret/action      every write
//	update/action         disabling forgotten versions
//	readMetadata/action   asking whether a secret that is not there was deleted
//
// or, where the vault has access policies, the secret permissions get and set. A policy
// gives update with set.
//
// # What is known from documents only
//
// All of it: the stand-in in package azuretest answers as Microsoft's REST reference
// (2025-07-01) and answers of the service that people published say. Which action asking
// for a deleted secret needs is inferred; being refused it is taken for not knowing.
package azurekeyvault
