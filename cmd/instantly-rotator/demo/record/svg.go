package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	columns, rows = 120, 30
	rowHeight     = 18  // pixels
	columnWidth   = 7.9 // of a character of 13 pixels, in the widest of the usual fonts
	border        = 14
	window        = rows * rowHeight
	// apart is the least time between two lines: many come at once, and nobody could read
	// them. Each has its own time in it.
	apart = 150 * time.Millisecond
	// rest is how long the end is shown before it begins anew.
	rest = 12 * time.Second
)

// The colours of GitHub's themes: contrast AA on their own ground.
const style = `
svg{--ground:#fff;--edge:#d1d9e0;--text:#1f2328;--f:#59636e;--g:#1a7f37;--y:#9a6700;--r:#cf222e;--c:#0969da}
@media (prefers-color-scheme:dark){svg{--ground:#0d1117;--edge:#3d444d;--text:#e6edf3;--f:#9198a1;--g:#3fb950;--y:#d29922;--r:#f85149;--c:#58a6ff}}
text{white-space:pre;font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--text)}
.b{font-weight:bold}.f{fill:var(--f)}.g{fill:var(--g)}.y{fill:var(--y)}.r{fill:var(--r)}.c{fill:var(--c)}
.ground{fill:var(--ground);stroke:var(--edge)}.rest{fill:var(--ground)}
`

// draw gives the lines as a picture of a terminal: an SVG that moves by CSS alone. What does
// not play it, or is asked for less motion, shows the end.
func draw(lines []line) []byte {
	var told, scrolled, covered bytes.Buffer
	moments := momentsOf(lines)
	whole := moments[len(moments)-1] + rest
	height := 0
	for i, l := range lines {
		cells := runs(l.text)
		fmt.Fprintf(&told, "<text y=\"%d\">%s</text>\n", height+rowHeight-5, tspans(cells))
		percent := 100 * moments[i].Seconds() / whole.Seconds()
		if height < window {
			fmt.Fprintf(&covered, "%.2f%%{transform:translateY(%dpx)}\n", percent, min(window, height+rowHeight*rowsOf(cells)))
		}
		if height += rowHeight * rowsOf(cells); height > window {
			fmt.Fprintf(&scrolled, "%.2f%%{transform:translateY(%dpx)}\n", percent, window-height)
		}
	}
	var out bytes.Buffer
	const inner = columns * columnWidth
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" xml:space=\"preserve\" viewBox=\"0 0 %.0f %d\" width=\"%.0f\">\n",
		inner+2*border, window+2*border, inner+2*border)
	fmt.Fprintf(&out, "<title>What instantly-rotator demo says</title>\n<style>%s", style)
	fmt.Fprintf(&out, ".told{transform:translateY(%dpx);animation:told %.1fs step-end infinite}\n@keyframes told{\n0%%{transform:none}\n%s}\n", min(0, window-height), whole.Seconds(), &scrolled)
	fmt.Fprintf(&out, ".rest{transform:translateY(%dpx);animation:rest %.1fs step-end infinite}\n@keyframes rest{\n%s}\n", window, whole.Seconds(), &covered)
	out.WriteString("@media (prefers-reduced-motion:reduce){.told,.rest{animation:none}}\n</style>\n")
	fmt.Fprintf(&out, "<rect class=\"ground\" x=\".5\" y=\".5\" width=\"%.0f\" height=\"%d\" rx=\"6\"/>\n", inner+2*border-1, window+2*border-1)
	fmt.Fprintf(&out, "<svg x=\"%d\" y=\"%d\" width=\"%.0f\" height=\"%d\">\n<g class=\"told\">\n%s</g>\n<rect class=\"rest\" width=\"%.0f\" height=\"%d\"/>\n</svg>\n</svg>\n",
		border, border, inner, window, &told, inner, window)
	return out.Bytes()
}

// momentsOf tells when each line is shown.
func momentsOf(lines []line) []time.Duration {
	all := make([]time.Duration, len(lines))
	for i, l := range lines {
		if i > 0 {
			all[i] = max(l.at, all[i-1]+apart)
		}
	}
	return all
}

// run is a part of a line in one colour.
type run struct{ class, text string }

// classes are those of the sequences that a demo in colour has.
func classes() map[string]string {
	return map[string]string{"0": "", "1": "b", "2": "f", "31": "r", "32": "g", "33": "y", "36": "c"}
}

// runs takes a line with a terminal's sequences apart.
func runs(text string) (all []run) {
	class := ""
	for i, part := range strings.Split(text, "\x1b[") {
		if i > 0 {
			var sequence string
			sequence, part, _ = strings.Cut(part, "m")
			class = classes()[sequence]
		}
		if part != "" {
			all = append(all, run{class, part})
		}
	}
	return all
}

// rowsOf tells how many rows of the terminal a line takes.
func rowsOf(cells []run) int {
	wide := 0
	for _, r := range cells {
		wide += utf8.RuneCountInString(r.text)
	}
	return max(1, (wide+columns-1)/columns)
}

// tspans writes a line; what does not fit goes on in the next row.
func tspans(cells []run) string {
	var out strings.Builder
	column := 0
	for _, r := range cells {
		for text := []rune(r.text); len(text) > 0; {
			attributes := ""
			if column == columns {
				column, attributes = 0, fmt.Sprintf(" x=\"0\" dy=\"%d\"", rowHeight)
			}
			if r.class != "" {
				attributes += fmt.Sprintf(" class=%q", r.class)
			}
			n := min(len(text), columns-column)
			fmt.Fprintf(&out, "<tspan%s>%s</tspan>", attributes, html.EscapeString(string(text[:n])))
			text, column = text[n:], column+n
		}
	}
	return out.String()
}
