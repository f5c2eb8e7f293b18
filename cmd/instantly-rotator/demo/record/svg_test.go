package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// told takes a picture apart: every element's name, and the text of each line.
func told(t *testing.T, picture []byte) (names map[string]int, lines []string) {
	t.Helper()
	names = map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(picture))
	inside := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return names, lines
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			names[token.Name.Local]++
			if token.Name.Local == "text" {
				inside, lines = true, append(lines, "")
			}
		case xml.EndElement:
			inside = inside && token.Name.Local != "text"
		case xml.CharData:
			if inside {
				lines[len(lines)-1] += string(token)
			}
		}
	}
}

func TestARecordingSaysWhatWasSaid(t *testing.T) {
	long := strings.Repeat("wide ", 50)
	picture := draw([]line{{"$ a <command> & \"more\"", 0}, {"", 0}, {"\x1b[32m✔\x1b[0m \x1b[1mdone\x1b[0m", time.Second}, {long, 9 * time.Second}})
	names, lines := told(t, picture)
	if got, want := strings.Join(lines, "\n"), "$ a <command> & \"more\"\n\n✔ done\n"+long; got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	for name := range names {
		switch name {
		case "svg", "title", "style", "rect", "g", "text", "tspan":
		default:
			t.Errorf("it has %q in it", name)
		}
	}
	for _, want := range []string{`<tspan class="g">✔</tspan>`, `<tspan class="b">done</tspan>`, `x="0" dy="18"`, "prefers-color-scheme:dark", "prefers-reduced-motion"} {
		if !bytes.Contains(picture, []byte(want)) {
			t.Errorf("%s is not in\n%s", want, picture)
		}
	}
}

// The last line is at the end of the window when it is said, and stays there.
func TestARecordingScrollsToItsEnd(t *testing.T) {
	var lines []line
	for i := range 3 * rows {
		lines = append(lines, line{"said", time.Duration(i) * time.Second})
	}
	const end = "translateY(-1080px)" // 90 lines of 18 pixels in a window of 30
	if got := regexp.MustCompile(`translateY\(-1080px\)`).FindAllString(string(draw(lines)), -1); len(got) != 2 {
		t.Errorf("%d times %s, want it once in the movement and once without", len(got), end)
	}
}

// Until the window is full, lines come below each other; what is not said yet is covered.
func TestARecordingBeginsAtItsTop(t *testing.T) {
	picture := string(draw([]line{{"a", 0}, {"b", time.Second}}))
	for _, want := range []string{"0.00%{transform:translateY(18px)}", "%{transform:translateY(36px)}", ".rest{transform:translateY(540px)", ".told{transform:translateY(0px)"} {
		if !strings.Contains(picture, want) {
			t.Errorf("%s is not in\n%s", want, picture)
		}
	}
}
