package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// mood is what kind of line is told: it chooses colour and sign.
type mood int

const (
	neutral mood = iota
	faint        // reading, without changing anything
	good         // a step that was taken
	waiting
	bad
	heading
)

// sign and colours of a mood, for terminals that have them.
func (m mood) style() (sign string, colors text.Colors) {
	switch m {
	case faint:
		return "·", text.Colors{text.Faint}
	case good:
		return "✔", text.Colors{text.FgGreen}
	case waiting:
		return "…", text.Colors{text.FgYellow}
	case bad:
		return "✖", text.Colors{text.FgRed}
	case heading:
		return "", text.Colors{text.Bold}
	default:
		return "•", text.Colors{text.FgCyan}
	}
}

// narrator tells the story as it happens. It is safe for concurrent use. It
// never gets to see a secret value, only the ids of keys.
type narrator struct {
	out   io.Writer
	color bool
	begun time.Time

	mu     sync.Mutex
	labels map[string]string // by key id, in the order of appearance
}

func newNarrator(out io.Writer, color bool) *narrator {
	return &narrator{out: out, color: color, begun: time.Now(), labels: map[string]string{}}
}

// label gives the short name that a key has in the story: "key 1" is the first
// one that was told of. Ids are too long, and alike at the beginning.
func (n *narrator) label(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id == "" {
		return "no key"
	}
	if _, known := n.labels[id]; !known {
		n.labels[id] = fmt.Sprintf("key %d", len(n.labels)+1)
	}
	return n.labels[id]
}

// labelled puts the short names in the place of the ids in a text.
func (n *narrator) labelled(s string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, label := range n.labels {
		s = strings.ReplaceAll(s, "key "+id, label)
		s = strings.ReplaceAll(s, id, label)
	}
	return s
}

// say tells one thing: since the beginning, who or what, and the sentence.
func (n *narrator) say(m mood, who, sentence string) {
	sign, colors := m.style()
	when := fmt.Sprintf("%5.1fs ", time.Since(n.begun).Seconds())
	if !n.color {
		n.plain(fmt.Sprintf("%s %-8s %s", when, who, sentence))
		return
	}
	n.plain(fmt.Sprintf("%s %s %s %s", paint(text.Colors{text.Faint}, when), paint(colors, sign),
		paint(colors, fmt.Sprintf("%-8s", who)), sentence))
}

// plain writes a line as it is.
func (n *narrator) plain(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = fmt.Fprintln(n.out, line) // a closed terminal is no reason to leave keys half-way
}

// in gives s in the colours of a mood.
func (n *narrator) in(m mood, s string) string {
	if !n.color {
		return s
	}
	_, colors := m.style()
	return paint(colors, s)
}

// paint goes by Options.Color alone, not by go-pretty's global switch.
func paint(c text.Colors, s string) string { return text.Escape(s, c.EscapeSeq()) }

// title and chapter are headings with what there is to know before.
func (n *narrator) title(heading string, lines ...string)   { n.head(heading, lines) }
func (n *narrator) chapter(heading string, lines ...string) { n.plain(""); n.head(heading, lines) }

func (n *narrator) head(title string, lines []string) {
	n.plain(n.in(heading, title))
	for _, line := range lines {
		n.plain(n.in(faint, "   "+line))
	}
}

// step tells a step of the engine.
func (n *narrator) step(st step) {
	m, sentence := describe(st, n.label)
	n.say(m, string(st.Verb), n.labelled(sentence))
}

// app tells what is new about an app.
func (n *narrator) app(before, now use) {
	switch now.Outcome {
	case refused:
		n.say(bad, now.App, "was REFUSED: the API does not accept "+n.label(now.KeyID))
	case failed:
		n.say(bad, now.App, n.labelled(fmt.Sprintf("FAILED: %v", now.Err)))
	case unavailable:
		n.say(waiting, now.App, "gets a 503; it will try again")
	case answered:
		n.answered(before, now)
	}
}

func (n *narrator) answered(before, now use) {
	if before.Outcome != answered {
		n.say(good, now.App, "is answered again")
	}
	if before.KeyID != now.KeyID {
		n.say(neutral, now.App, fmt.Sprintf("uses %s now", n.label(now.KeyID)))
	}
}

// tally says how the apps have fared so far.
func (n *narrator) tally(uses []use) {
	m := good
	if count(uses, refused)+count(uses, failed) > 0 {
		m = bad
	}
	n.say(m, "apps", fmt.Sprintf("%d calls so far: %d refused, %d lost to an outage of the API",
		len(uses), count(uses, refused), count(uses, unavailable)))
}

// account closes the story with what it comes to, and what was broken in it.
func (n *narrator) account(a account, broken []string) {
	n.plain("")
	n.plain(n.in(heading, "The account"))
	for _, r := range a.rows(n.label) {
		n.plain(strings.TrimRight(fmt.Sprintf("   %-20s %s  %s", r.what, n.in(r.mood, fmt.Sprintf("%9s", r.value)), n.in(faint, r.note)), " "))
	}
	n.plain("")
	if len(broken) == 0 {
		n.plain(n.in(good, fmt.Sprintf("All %d promises were kept:", len(rules()))))
		for _, r := range rules() {
			n.plain("   " + n.in(good, n.mark(good)) + r.promise)
		}
	}
	for _, b := range broken {
		n.plain(n.in(bad, n.mark(bad)+"BROKEN: "+n.labelled(b)))
	}
	n.plain("\nWhat to do next: start `instantly-rotator sandbox` and try your own copy of config.example.yaml against it.")
}

// mark gives the sign of a mood and a space; nothing without colour.
func (n *narrator) mark(m mood) string {
	if !n.color {
		return ""
	}
	sign, _ := m.style()
	return sign + " "
}
