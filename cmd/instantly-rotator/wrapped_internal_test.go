package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestALineIsBrokenButNotACommandInIt(t *testing.T) {
	const command = "instantly-rotator -c rotator.yaml rotate --begin-anew sending"
	const line = `hint: nothing was issued; is the store mounted? If it is lost for good, "` + command + `" issues a new key there; else: ` + command + "; or wait"
	for width := len(command) + 3; width < len(line); width++ {
		got := wrapped(line, width)
		if strings.Count(got, command) != 2 {
			t.Errorf("at %d columns the command cannot be pasted:\n%s", width, got)
		}
		if n := text.LongestLineLen(got); n > width {
			t.Errorf("at %d columns a line has %d:\n%s", width, n, got)
		}
		if joined := strings.Join(strings.Fields(got), " "); joined != line {
			t.Errorf("at %d columns the line reads:\n%s", width, joined)
		}
	}
}

func TestACommandThatNoLineHoldsStandsUnbroken(t *testing.T) {
	const command = "instantly-rotator -c '/srv/with blanks/rotator config.yaml' rotate --due --force mailing"
	for width := 30; width < len(command); width++ {
		got := wrapped("mailing: in backoff; run: "+command+"; it tries again", width)
		if !strings.Contains(got, "\n"+command+"\n") {
			t.Errorf("at %d columns the command cannot be pasted:\n%s", width, got)
		}
	}
}
