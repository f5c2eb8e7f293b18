// Package awssecretsmanager is a [secretstore.Store] in AWS Secrets Manager.
// Whatever reads AWSCURRENT (SDK caches, ECS, Lambda, External Secrets, the CSI
// driver) just works.
//
// # What is where
//
// A version holds a key and is called like it, if AWS takes the key's id for a
// version's (32 to 64 characters); otherwise by a UUID made from it. Everything
// else is in staging labels, which are unique in a secret, at most 20, and can
// be seen with describe-secret:
//
//	AWSCURRENT, AWSPENDING, AWSPREVIOUS           as AWS means them
//	rotator/key/NONCE/ACCOUNT/ID                  the rotator put this version
//	rotator/intent/NONCE/TIME/GRACE/LEASE/SPEC    what it was issued for; or, on
//	                                              another version, the reserved intent
//	rotator/promoted/TIME/DISPLACED/ANNOUNCED/BY  when it became current
//	rotator/failure/ID/TIME/COUNT/STEP/REASON     the last failure
//	rotator/hold/ID/SINCE/UNTIL/REASON            a person's hold
//	rotator/incident/ID/TIME/NAME                 a leak that was declared
//	rotator/more/…                                what does not fit into one of these
//	rotator/keep/CURRENT                          it stays previous
//	rotator/first/NONCE                           see below
//	rotator/for/VERSION                           the rotation that AWS began, which it is for
//
// A tag, rotator/owner, says whose the secret is. Labels and not tags, since
// Terraform takes tags away that it does not know. Only while a secret has no
// version, and so nothing to put a label on, are the notes in tags.
//
// A version is pending if it bears its own intent and AWSPENDING, or if its
// promotion is announced (see below). One without kindKey or intent is foreign,
// except that one with kindKey alone, on no other stage, is just being put.
// Losing any label is safe: keys live longer, never shorter. Where a new intent would
// not fit, the last failure goes, and then long texts of the other facts.
//
// The first version of a secret becomes AWSCURRENT whatever is asked: its key
// was tested before. It bears rotator/first until it is promoted, and is
// pending, not current, for as long. If it is given up, it stays AWSCURRENT,
// which AWS lets nobody take away, until the next one is promoted.
//
// Where rotation is enabled for the secret, AWS begins one by making a version without a
// value that has AWSPENDING: see rotation.go. The next Stage fills it; to all else it is
// not there.
//
// # How a write is decided
//
// There is no etag. Each write is a few calls, of which one decides:
//
//	Annotate  the move of a label onto a version, or off it
//	Stage     the move of the reserved intent onto the version it was issued for
//	Promote   the move of AWSCURRENT
//	Destroy   the removal of AWSPENDING or AWSPREVIOUS
//
// AWS moves a label only from the version that is named as having it, so that of
// two writers who move the same label one fails. That alone is not enough: after
// another instance dropped an intent, or gave a pending version up, and read,
// it revokes the key that nothing refers to. A Stage or a Promote that slipped in
// after that read would make a dead key current. Hence three rules.
//
// Write, then read. Every write makes a mark of its own before it describes the
// secret, and goes on only if it finds what it expected: the state its caller
// saw, and its own mark. Of two writers who both write before they read, at
// least one sees the other, takes its mark away and reports ErrConflict. Both
// may.
//
// What is given up stays given up. An intent that was taken cannot be moved onto
// a version any more; a version whose AWSPENDING was taken does not get it back.
// So whoever revokes a key that nothing refers to is right for good.
//
// What is announced is referred to. From the announcement of a promotion until
// AWSCURRENT has moved, or the version that it was to displace is current no
// longer, the version is pending, whatever else happens to it: the instance that
// announced it may be about to move AWSCURRENT. Nobody gives such a version up
// within an hour of the announcement, and nobody moves AWSCURRENT later than
// five minutes after it.
//
// A write that was interrupted leaves the state of before or of after it; but
// for Annotate with a new intent in the place of another, which may leave none,
// and for writes that lose a race: what they dropped, destroyed or displaced on
// the way may be gone. Both waste a key at most, which the next sweep revokes.
//
// Before there is a version, tags are all there is, and a tag is neither compared
// nor swapped: of two instances that begin the very first rotation one goes on,
// since AWS makes one version the first; dropping an intent twice at once
// succeeds twice.
//
// # What it rests on
//
// Shown by recordings of the real service (package awstest): the labels after
// PutSecretValue, UpdateSecretVersionStage and deletion, errors and their codes.
// Shown by moto as well: that a label is moved only from where it is said to be.
// By the documents alone: that this fails also if no version has the label (it
// decides a Stage against an intent dropped at the same moment); that a first
// version becomes AWSCURRENT although other labels were asked for (if not, it is
// pending by AWSPENDING); that a second put under the same token and value
// changes nothing; that DescribeSecret shows what was written before it was
// asked; the limits; what AWS makes when it begins a rotation, and when it takes it for
// complete.
package awssecretsmanager
