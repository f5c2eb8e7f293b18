package awssecretsmanager

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// The labels that AWS gives a meaning to.
const (
	labelCurrent  = "AWSCURRENT"
	labelPending  = "AWSPENDING"
	labelPrevious = "AWSPREVIOUS"
)

// Limits of the service: API reference, data type SecretVersionStageType, and
// user guide, "AWS Secrets Manager quotas".
const (
	maxLabel  = 256 // characters of a label
	maxLabels = 20  // labels over all versions of a secret
)

// ours begins every label and tag of this package.
const ours = "rotator/"

// tagOwner is the tag that says which rotator a secret belongs to.
const tagOwner = ours + "owner"

// The kinds of marks. A mark is a text "rotator/KIND/FIELD/…": a label on a
// version, or a tag where there is no version to put a label on.
const (
	// kindKey, on a version since it was put: the rotator put it. Fields: the
	// nonce it was issued for, the account, the key's id if it is not the
	// version's.
	kindKey = "key"
	// kindIntent is an intent: nonce, time (and how its key was adopted, after a "+"),
	// grace, lease, spec. On the version whose
	// kindKey has the same nonce it is the version's own; anywhere else it is
	// the reserved one.
	kindIntent = "intent"
	// kindMore is a part of what did not fit into an intent or a fact: the
	// nonce or id it belongs to, the number of the part, the text.
	kindMore = "more"
	// kindFailure is the notes' failure: id, time, count, step, reason.
	kindFailure = "failure"
	// kindHold is the notes' hold: id, since, until, reason.
	kindHold = "hold"
	// kindIncident is the notes' incident: id, time (and when it was resolved, after a
	// "+"), what people call it.
	kindIncident = "incident"
	// kindWaiver is the notes' waiver: id, time, key, reason.
	kindWaiver = "waiver"
	// kindReceipt is the notes' receipt: id, time, key, sinks.
	kindReceipt = "receipt"
	// kindPromoted: promotion time, the version that was to be displaced, when
	// that was announced, and by whom. It is written before AWSCURRENT moves.
	kindPromoted = "promoted"
	// kindFirst, on the first version of a secret: AWS made it current, the
	// rotator has not yet. Field: its nonce.
	kindFirst = "first"
	// kindKeep: the version stays previous although AWSPREVIOUS leaves it, as
	// long as the version in the field is current.
	kindKeep = "keep"
	// kindFor: the version is what a rotation that AWS began was for. Field: the version
	// that AWS made for it, which is the version itself unless that could not be used.
	kindFor = "for"
)

// A mark is taken apart: where it is, and what it says.
type mark struct {
	text   string
	at     string // the version that bears it; empty for a tag
	kind   string
	fields []string
}

// fieldsOf tells how many fields a kind has; 0 for a kind that is not known.
func fieldsOf(kind string) int {
	switch kind {
	case kindKey, kindMore, kindIncident:
		return 3
	case kindPromoted, kindHold, kindWaiver, kindReceipt:
		return 4
	case kindIntent, kindFailure:
		return 5
	case kindFirst, kindKeep, kindFor:
		return 1
	default:
		return 0
	}
}

// parseMark gives ok = false for what is not a mark of ours. What we cannot
// read is as good as lost, and losing a mark is safe.
func parseMark(text, at string) (mark, bool) {
	rest, isOurs := strings.CutPrefix(text, ours)
	if !isOurs {
		return mark{}, false
	}
	parts := strings.Split(rest, "/")
	m := mark{text: text, at: at, kind: parts[0], fields: parts[1:]}
	return m, len(m.fields) > 0 && len(m.fields) == fieldsOf(m.kind)
}

func joinMark(kind string, fields ...string) string {
	return ours + kind + "/" + strings.Join(fields, "/")
}

// asTag splits a mark in two: what makes it unique is the tag's key.
func asTag(text string) (key, value string) {
	m, _ := parseMark(text, "")
	unique := 1
	if m.kind == kindMore {
		unique = 2
	}
	return joinMark(m.kind, m.fields[:unique]...), strings.Join(m.fields[unique:], "/")
}

// keyMark says that the rotator put a version, and for which key.
type keyMark struct {
	slot    string // see slotOf
	account string
	id      string // of the key
}

func (k keyMark) text(version string) string {
	id := escape(k.id)
	if k.id == version {
		id = ""
	}
	return joinMark(kindKey, k.slot, escape(k.account), id)
}

func (m mark) asKey() keyMark {
	k := keyMark{slot: m.fields[0], account: unescape(m.fields[1]), id: unescape(m.fields[2])}
	if k.id == "" {
		k.id = m.at
	}
	return k
}

// noNonce begins the slot of a version without an intent. No escaped text does.
const noNonce = "=none."

// slotOf is what ties the marks of a version together: its nonce.
func slotOf(i secretstore.Intent, version string) string {
	if i.Nonce == "" {
		return noNonce + escape(version)
	}
	return escape(i.Nonce)
}

// intentTexts gives an intent's mark and the parts that do not fit into it.
func intentTexts(slot string, i secretstore.Intent) (head string, more []string) {
	return fit(slot, specText(i.Spec), kindIntent, slot, originText(i), escape(i.Grace.String()), leaseText(i))
}

// originText says when the intent was written and, for a key that was adopted, how:
// "TIME+ADOPTED".
func originText(i secretstore.Intent) string {
	if i.Adopted == "" {
		return stamp(i.At)
	}
	return stamp(i.At) + "+" + escape(string(i.Adopted))
}

func parseOrigin(text string) (at time.Time, adopted secretstore.Adopted, err error) {
	begun, how, _ := strings.Cut(text, "+")
	at, err = parseStamp(begun)
	return at, secretstore.Adopted(unescape(how)), err
}

// leaseText says who holds the intent, and until when: "HOLDER+TIME".
func leaseText(i secretstore.Intent) string {
	switch {
	case i.Until.IsZero():
		return escape(i.Holder)
	default:
		return escape(i.Holder) + "+" + stamp(i.Until)
	}
}

func parseLease(text string) (holder string, until time.Time, err error) {
	holder, end, leased := strings.Cut(text, "+")
	if leased {
		until, err = parseStamp(end)
	}
	return unescape(holder), until, err
}

// partOf gives the n-th part of what is kept under a slot or id.
type partOf = func(slot string, n int) (string, bool)

// asIntent reads an intent back; more gives the parts that go with it.
func (m mark) asIntent(more partOf) (secretstore.Intent, bool) {
	at, adopted, errAt := parseOrigin(m.fields[1])
	grace, errGrace := time.ParseDuration(unescape(m.fields[2]))
	holder, until, errLease := parseLease(m.fields[3])
	spec, ok := unfit(m.fields[0], m.fields[4], more)
	if errAt != nil || errGrace != nil || errLease != nil || !ok {
		return secretstore.Intent{}, false
	}
	i := secretstore.Intent{At: at, Spec: parseSpec(spec), Grace: grace, Holder: holder, Until: until, Adopted: adopted}
	if !strings.HasPrefix(m.fields[0], noNonce) {
		i.Nonce = unescape(m.fields[0])
	}
	return i, true
}

// specText writes a spec with "+" for its commas: it is likely to be a list, and
// an escaped comma takes the room of three characters.
func specText(s secretstore.Spec) string {
	return strings.ReplaceAll(escape(string(s)), escape(","), "+")
}

func parseSpec(text string) secretstore.Spec {
	return secretstore.Spec(unescape(strings.ReplaceAll(text, "+", escape(","))))
}

// promotion is what a promoted mark says.
type promotion struct {
	at        time.Time
	displaced string // version; empty if there was none
	announced time.Time
	by        string // a random text, so that no two writers write the same
}

func (p promotion) text() string {
	return joinMark(kindPromoted, stamp(p.at), escape(p.displaced), stamp(p.announced), p.by)
}

func (m mark) asPromotion() (promotion, bool) {
	at, errAt := parseStamp(m.fields[0])
	announced, errAnnounced := parseStamp(m.fields[2])
	return promotion{at, unescape(m.fields[1]), announced, m.fields[3]}, errAt == nil && errAnnounced == nil
}

func firstText(slot string) string   { return joinMark(kindFirst, slot) }
func keepText(current string) string { return joinMark(kindKeep, escape(current)) }

// stamp writes a time to the millisecond that has begun after it: a promotion
// must never seem to be older than the request for it.
func stamp(t time.Time) string {
	at := t.UTC().Truncate(time.Millisecond)
	if at.Before(t) {
		at = at.Add(time.Millisecond)
	}
	return at.Format("2006-01-02T15:04:05.999Z07:00")
}

func parseStamp(text string) (time.Time, error) { return time.Parse(time.RFC3339, text) }

// What a mark's last field may begin with instead of plain text. An escaped
// text never does.
const (
	deflated = "=z"
	parted   = "=m"
)

// fit makes a mark whose last field is text, and further marks if it is too
// long for one, even when it is compressed.
func fit(slot, text, kind string, fields ...string) (head string, more []string) {
	head = joinMark(kind, append(slices.Clone(fields), "")...)
	if len(head)+len(text) > maxLabel {
		if packed := deflated + deflate(text); len(packed) < len(text) {
			text = packed
		}
	}
	if len(head)+len(text) <= maxLabel {
		return head + text, nil
	}
	room := maxLabel - len(joinMark(kindMore, slot, "99", ""))
	for chunk := range slices.Chunk([]byte(text), room) {
		more = append(more, joinMark(kindMore, slot, strconv.Itoa(len(more)), string(chunk)))
	}
	return head + parted + strconv.Itoa(len(more)), more
}

// unfit gives the text that fit was given.
func unfit(slot, text string, more partOf) (string, bool) {
	if count, isParted := strings.CutPrefix(text, parted); isParted {
		n, err := strconv.Atoi(count)
		if err != nil || n > maxLabels {
			return "", false
		}
		var whole strings.Builder
		for i := range n {
			part, ok := more(slot, i)
			if !ok {
				return "", false
			}
			whole.WriteString(part)
		}
		text = whole.String()
	}
	if packed, isDeflated := strings.CutPrefix(text, deflated); isDeflated {
		return inflate(packed)
	}
	return text, true
}

func deflate(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is valid, and a Buffer takes everything
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// maxInflated is more than all labels of a secret can hold in earnest.
const maxInflated = 64 << 10

func inflate(packed string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return "", false
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxInflated))
	return string(text), err == nil
}

// escape leaves the characters that both labels and tags take, less those that
// marks are made with, and writes any other byte as "=" and two digits. Nothing
// is documented about the characters of a label; a tag's are letters, digits,
// spaces and "_.:/=+-@" (API reference, data type Tag).
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.:-@", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// unescape reads escape's text back. What is not such a text stays as it is.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
