package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

// The picture's measures, in its own units.
const (
	pictureWidth = 960
	laneTop      = 34
	laneHeight   = 26
	laneGap      = 10
	axisHeight   = 24
	leastWidth   = 2.0 // what is shorter is still to be seen
)

// timeline is the picture of a target's last year.
type timeline struct {
	Width, Height, AxisY float64
	Months               []mark
	Bands                []shape
	Bars                 []shape
	Marks                []mark
	// Text says what it shows, for those who do not see it.
	Text string
}

// shape is a rectangle.
type shape struct {
	Class, Title, Label string
	X, Y, W, H          float64
	LabelX, LabelY      float64
}

// mark is a point in time.
type mark struct {
	Class, Title, Label string
	X, Y                float64
}

// drawing places moments on the picture.
type drawing struct {
	from, to time.Time
}

func (d drawing) x(t time.Time) float64 {
	x := float64(t.Sub(d.from)) / float64(d.to.Sub(d.from)) * pictureWidth
	return rounded(min(max(x, 0), pictureWidth))
}

// rounded keeps the picture small.
func rounded(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// drawTimeline draws the last year, or what there is of it.
func drawTimeline(p past, now time.Time) timeline {
	d := drawing{from: now.Add(-shownTime), to: now}
	if first := firstOf(p); first.After(d.from) { // there is less: it is shown larger
		d.from = first.Add(-now.Sub(first) / 40).Add(-time.Minute)
	}
	rows := lanes(p.Lives, now)
	t := timeline{Width: pictureWidth}
	count := 1
	for i, k := range p.Lives {
		count = max(count, rows[i]+1)
		t.bar(d, k, laneTop+float64(rows[i])*(laneHeight+laneGap))
	}
	t.AxisY = laneTop + float64(count)*(laneHeight+laneGap)
	t.Height = t.AxisY + axisHeight
	for _, b := range p.Bands {
		to, until := b.To, "still open"
		if to.IsZero() {
			to = now
		} else {
			until = "until " + humantime.Stamp(to)
		}
		x := d.x(b.From)
		t.Bands = append(t.Bands, shape{Class: "band " + b.Kind, Title: b.Kind + " " + b.Name + " since " + humantime.Stamp(b.From) + ", " + until,
			Label: b.Kind, X: x, Y: 0, W: max(d.x(to)-x, leastWidth), H: t.AxisY, LabelX: min(x+3, pictureWidth-60), LabelY: 12})
	}
	t.Months = d.months()
	t.Text = textOf(p, now)
	return t
}

// firstOf is the first moment that is known.
func firstOf(p past) time.Time {
	var first time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, k := range p.Lives {
		earlier(k.begins())
	}
	for _, b := range p.Bands {
		earlier(b.From)
	}
	return first
}

// lanes puts keys that live at the same time below each other.
func lanes(lives []keyLife, now time.Time) []int {
	rows := make([]int, len(lives))
	var ends []time.Time // of the last key in each lane
	for i, k := range lives {
		row := slices.IndexFunc(ends, func(end time.Time) bool { return !k.begins().Before(end) })
		if row < 0 {
			row = len(ends)
			ends = append(ends, time.Time{})
		}
		ends[row] = k.ends(now)
		rows[i] = row
	}
	return rows
}

// ends is the last that is known of a key.
func (k keyLife) ends(now time.Time) time.Time {
	last := k.Revoked
	if k.Dead.After(last) {
		last = k.Dead
	}
	if last.IsZero() {
		return now
	}
	return last
}

// bar draws one key: until it was current, while it was, and while it only still worked.
func (t *timeline) bar(d drawing, k keyLife, y float64) {
	end := k.ends(d.to)
	part := func(class, what string, from, to time.Time) {
		if from.IsZero() || !to.After(from) || to.Before(d.from) {
			return
		}
		x := d.x(from)
		t.Bars = append(t.Bars, shape{Class: class, Title: "key " + k.ID + ": " + what + ", " + humantime.Stamp(from) + " to " + humantime.Stamp(to),
			X: x, Y: y, W: max(d.x(to)-x, leastWidth), H: laneHeight})
	}
	current := k.Displaced
	if current.IsZero() {
		current = end
	}
	promoted := k.Promoted
	if promoted.IsZero() {
		promoted = end
	}
	part("issued", "issued, not yet current", k.Issued, promoted)
	part("current", "current", k.Promoted, current)
	part("grace", "still worked beside its successor", k.Displaced, end)
	if n := len(t.Bars); n > 0 && d.x(end)-d.x(k.begins()) > 90 {
		bar := &t.Bars[n-1]
		bar.Label, bar.LabelX, bar.LabelY = short(k.ID), d.x(later(k.begins(), d.from))+6, y+laneHeight/2+4
	}
	point := func(class, what string, at time.Time) {
		if !at.IsZero() && at.After(d.from) {
			t.Marks = append(t.Marks, mark{Class: class, Title: "key " + k.ID + " " + what + " " + humantime.Stamp(at), X: d.x(at), Y: y})
		}
	}
	point("promoted", "became current", k.Promoted)
	point("revoked", "revoked", k.Revoked)
	point("dead", "proven dead", k.Dead)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// short is an id as there is room for it.
func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// months marks the axis: months, or days or hours where there is less.
func (d drawing) months() []mark {
	span := d.to.Sub(d.from)
	const day = 24 * time.Hour
	t, step, form := d.from.UTC(), 0*day, "Jan 2"
	switch {
	case span <= 2*day:
		step, form = max(span.Truncate(8*time.Minute)/8, time.Minute), "15:04"
	case span <= 60*day:
		step = max((span / 8).Truncate(day), day)
	}
	var all []mark
	if step > 0 {
		for t = t.Truncate(step).Add(step); t.Before(d.to); t = t.Add(step) {
			all = append(all, d.tick(t, form))
		}
		return all
	}
	for t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC); t.Before(d.to); t = t.AddDate(0, 1, 0) {
		all = append(all, d.tick(t, "Jan 06"))
	}
	return all
}

// tick is a line of the axis, with its name where there is room for it.
func (d drawing) tick(t time.Time, form string) mark {
	m := mark{X: d.x(t), Label: t.Format(form)}
	if m.X > pictureWidth-50 {
		m.Label = ""
	}
	return m
}

// textOf says what the picture shows.
func textOf(p past, now time.Time) string {
	if len(p.Lives) == 0 {
		return "No key is known."
	}
	said := []string{humantime.Count(len(p.Lives), "key")}
	for _, k := range p.Lives[max(0, len(p.Lives)-2):] {
		if b := k.begins(); !b.IsZero() {
			said = append(said, short(k.ID)+" "+cmp.Or(k.End, "known")+", "+humantime.Span(now.Sub(b))+" old")
		}
	}
	return strings.Join(said, "; ") + ". The table below says the same in words."
}
