// Command record plays the demo and draws what it said, as it said it: the recording that
// the README shows. "make demo-recording" makes it anew.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/demo"
)

func main() {
	if err := record(); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// record writes the drawing to the file that is named on the command line.
func record() error {
	if len(os.Args) != 2 {
		return errors.New("want the file to draw to")
	}
	t := &tape{begun: time.Now()}
	t.add("$ instantly-rotator demo")
	if err := demo.Run(context.Background(), demo.Options{Out: t, Color: true}); err != nil {
		return err
	}
	return os.WriteFile(os.Args[1], draw(t.lines), 0o644) //nolint:gosec // G306: a picture that everybody may see
}

// line is one that was said, with its colours as a terminal takes them, and how long after
// the beginning.
type line struct {
	text string
	at   time.Duration
}

// tape takes down what is said. The demo says whole lines.
type tape struct {
	begun time.Time
	lines []line
}

// Write implements [io.Writer].
func (t *tape) Write(p []byte) (int, error) {
	for text := range bytes.Lines(p) {
		t.add(strings.TrimRight(string(text), "\n"))
	}
	return len(p), nil
}

func (t *tape) add(text string) { t.lines = append(t.lines, line{text, time.Since(t.begun)}) }
