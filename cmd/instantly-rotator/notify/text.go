package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// maxText is how much of a message's text is sent, in runes: less than any
// service's own limit.
const maxText = 700

// words are what people read for a kind.
func (k Kind) words() string {
	switch k {
	case NeedsPerson:
		return "needs a person"
	case TooOld:
		return "key too old"
	case Unable:
		return "unable to act"
	default:
		return string(k)
	}
}

// title is the note in a few words, for services that show one.
func (n note) title(from string) string {
	if n.Kind == "" {
		return from + ": " + n.missed.words()
	}
	return harmless(joined(": ", from, n.Target, n.Kind.words()))
}

// body is the whole note; it does not need the title.
func (n note) body(from string) string {
	if n.Kind == "" {
		return n.title(from)
	}
	facts := []string{stamp(n.At)}
	if n.Workspace != "" {
		facts = append([]string{"workspace " + n.Workspace}, facts...)
	}
	if n.more > 0 {
		facts = append(facts, fmt.Sprintf("%d more since %s", n.more, stamp(n.since)))
	}
	text := harmless(fmt.Sprintf("%s (%s)", joined(": ", n.title(from), cut(n.Text)), strings.Join(facts, ", ")))
	if len(n.missed) > 0 {
		text += "\n" + n.missed.words()
	}
	return text
}

// words say how many there were that are not told one by one.
func (t tally) words() string {
	total := 0
	var parts []string
	for _, kind := range Kinds() {
		if t[kind] > 0 {
			total += t[kind]
			parts = append(parts, fmt.Sprintf("%d %s", t[kind], kind.words()))
		}
	}
	return fmt.Sprintf("and %d more (%s), see instantly-rotator status", total, strings.Join(parts, ", "))
}

// joined leaves out what is empty.
func joined(separator string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, separator)
}

func cut(s string) string {
	runes := []rune(s)
	if len(runes) <= maxText {
		return s
	}
	return string(runes[:maxText]) + "…"
}

// harmless keeps a text on one line, and what a server said from being markup: a
// mail's header, a link, or a mention that rings a whole channel.
func harmless(s string) string {
	s = strings.NewReplacer("<", "‹", ">", "›", "@", "＠").Replace(s)
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }
