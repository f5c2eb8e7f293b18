package demo_test

import (
	"encoding/xml"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recording is the drawing that the README shows, as far as it is text.
type recording struct {
	Lines []struct {
		Text string `xml:",innerxml"`
	} `xml:"svg>g>text"`
}

// checkRecording compares what was told with what the README's recording says: the same
// sentences, whatever the keys, the times and the counts. In which order the apps speak, and
// how often something is tried again, is not the same every time.
func checkRecording(t *testing.T, told string) {
	picture, err := os.ReadFile("recording.svg")
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := xml.Unmarshal(picture, &r); err != nil {
		t.Fatal(err)
	}
	var recorded []string
	for _, l := range r.Lines {
		text := strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(l.Text, ""))
		recorded = append(recorded, regexp.MustCompile(`^( *[\d.]+s  |   )[✔✖·•…] `).ReplaceAllString(text, "$1")) // signs come with colours
	}
	if len(recorded) < 100 || recorded[0] != "$ instantly-rotator demo" {
		t.Fatalf("the recording has %d lines: %.200q", len(recorded), recorded)
	}
	if diff := cmp.Diff(shapes(recorded[1:]), shapes(strings.Split(told, "\n"))); diff != "" {
		t.Errorf("make demo-recording: the demo says it otherwise (-recorded +told):\n%s", diff)
	}
}

// shapes gives the lines without what is new in every demo, each once.
func shapes(lines []string) []string {
	var all []string
	for _, l := range lines {
		l = regexp.MustCompile(`(id …)[0-9a-f]+`).ReplaceAllString(l, "${1}ID")
		l = regexp.MustCompile(`(a folder in )\S+;`).ReplaceAllString(l, "${1}DIR;")
		l = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]+Z`).ReplaceAllString(l, "TIME")
		l = regexp.MustCompile(` *\d+(\.\d+)?`).ReplaceAllString(l, " N") // columns too
		all = append(all, strings.TrimRight(l, " "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}
