package page

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
)

// A segment is a part of a text: words, or a command to paste.
type segment struct {
	Text    string
	Command bool
}

// segments finds the commands in a text that says what to do. named tells what is the name
// of a target.
func segments(text string, named func(string) bool) []segment {
	var all []segment
	words := func(t string) {
		if t != "" {
			all = append(all, segment{Text: t})
		}
	}
	for {
		before, after, found := strings.Cut(text, remedy.Program+" ")
		if !found {
			words(text)
			return all
		}
		if quoted, ok := strings.CutSuffix(before, `"`); ok {
			if command, rest, ends := strings.Cut(after, `"`); ends {
				words(quoted)
				all = append(all, segment{remedy.Program + " " + command, true})
				text = rest
				continue
			}
		}
		n := commandLength(after, named)
		words(before)
		all = append(all, segment{strings.TrimSpace(remedy.Program + " " + after[:n]), n > 0})
		text = after[n:]
	}
}

// commandLength is how much of a text after the program's name belongs to the command: its
// subcommand, flags, names of targets, words to be filled in and what is quoted.
func commandLength(text string, named func(string) bool) int {
	end, at := 0, 0
	verb, taken := false, false // taken: the word is the value of the flag before
	for at < len(text) {
		word := nextWord(text[at:])
		bare := strings.TrimRight(word, ";,.:)")
		switch {
		case bare == "":
			return end
		case taken, strings.HasPrefix(bare, "-"), strings.HasPrefix(bare, "'"), named(bare), bare == strings.ToUpper(bare):
		case !verb:
			verb = true
		default:
			return end
		}
		taken = bare == "-c" || bare == "--incident" || bare == "--skip-gates"
		end = at + len(bare)
		if bare != word {
			return end
		}
		at += len(word) + 1
	}
	return end
}

// nextWord gives the word that a text begins with, whole where the shell's quotes keep it
// together.
func nextWord(text string) string {
	quoted := false
	for i, c := range text {
		switch {
		case c == '\'':
			quoted = !quoted
		case c == ' ' && !quoted:
			return text[:i]
		}
	}
	return text
}
