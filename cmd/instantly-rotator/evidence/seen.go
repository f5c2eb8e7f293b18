package evidence

import (
	"cmp"
	"fmt"
	"slices"
)

// Seen is which programs, configurations and instances wrote the record in the period.
type Seen struct {
	Versions       []Used `json:"versions"`
	Configurations []Used `json:"configurations"`
	Instances      []Used `json:"instances"`
}

// Used is a name of which entries tell.
type Used struct {
	Name  string `json:"name"`
	First Moment `json:"first"`
	Last  Moment `json:"last"`
	// N counts the entries.
	N int `json:"n"`
}

func (h *history) seen() Seen {
	used := func(name func(entry) string) []Used {
		out := []Used{}
		for _, e := range h.all {
			n := name(e)
			if n == "" || !h.within(e.Time) {
				continue
			}
			i := slices.IndexFunc(out, func(u Used) bool { return u.Name == n })
			if i < 0 {
				i = len(out)
				out = append(out, Used{Name: n, First: at(e)})
			}
			out[i].Last = at(e)
			out[i].N++
		}
		return out
	}
	return Seen{
		Versions:       used(func(e entry) string { return e.Version }),
		Configurations: used(func(e entry) string { return e.Config }),
		Instances:      used(func(e entry) string { return e.Instance }),
	}
}

// Comparison is what the stores say when the report is made, beside the record.
type Comparison struct {
	At     string   `json:"at"`
	Same   int      `json:"same"`
	Differ []string `json:"differ"`
	// NotKnown are those that could not be compared, and why.
	NotKnown []string `json:"not_known"`
}

// compare holds the record's last current keys against the stores'. The whole record
// counts, since the stores are read now.
func (h *history) compare(now *Now) *Comparison {
	if now == nil {
		return nil
	}
	whole := h
	if end := now.At.AddDate(0, 0, 1); h.in.To.Before(now.At) {
		in := h.in
		in.To = end
		whole = read(in)
	}
	c := &Comparison{At: stamp(now.At), Differ: []string{}, NotKnown: []string{}}
	for _, t := range now.Targets {
		recorded := whole.currentOf(t.Target)
		switch {
		case t.Error != "":
			c.NotKnown = append(c.NotKnown, t.Target+": "+t.Error)
		case recorded == "":
			c.NotKnown = append(c.NotKnown, t.Target+": the record tells of no current key")
		case recorded == t.Key:
			c.Same++
		default:
			c.Differ = append(c.Differ, fmt.Sprintf("%s: key %s in the store, %s in the record", t.Target, cmp.Or(t.Key, "of unknown origin"), recorded))
		}
	}
	return c
}

// currentOf gives the key that became current last, as the record tells.
func (h *history) currentOf(target string) string {
	var last *Key
	for _, id := range h.order {
		if k := h.lives[id]; k.Target == target && k.Promoted.Known() && (last == nil || k.Promoted.At.After(last.Promoted.At)) {
			last = k
		}
	}
	if last == nil {
		return ""
	}
	return last.ID
}
