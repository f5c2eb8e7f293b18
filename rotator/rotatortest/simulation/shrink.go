package simulation

import (
	"fmt"
	"slices"
	"strings"
)

// Shrink takes away from a plan what is not needed to break a rule, as long as
// breaks says that it still does: faults by halves, by quarters, one at a time.
// It gives the faults that it kept as [Plan.Keep] takes them, too.
func Shrink(p Plan, breaks func(Plan) bool) (shortest Plan, kept string) {
	keep := make([]int, len(p.Faults))
	for i := range keep {
		keep[i] = i
	}
	for size := max(len(keep)/2, 1); ; size /= 2 {
		for at := 0; at < len(keep); {
			fewer := slices.Delete(slices.Clone(keep), at, min(at+size, len(keep)))
			if breaks(p.only(fewer)) {
				keep = fewer
			} else {
				at += size
			}
		}
		if size <= 1 {
			break
		}
	}
	if len(keep) == 0 {
		return p.only(keep), "none"
	}
	return p.only(keep), strings.ReplaceAll(strings.Trim(fmt.Sprint(keep), "[]"), " ", ",")
}

// Keep gives the plan with those of its faults only whose numbers are listed, as
// in "3,7,9"; "none" for none of them.
func (p Plan) Keep(listed string) (Plan, error) {
	var keep []int
	if listed == "none" {
		return p.only(nil), nil
	}
	for text := range strings.SplitSeq(listed, ",") {
		i := -1
		if _, err := fmt.Sscan(text, &i); err != nil || i < 0 || i >= len(p.Faults) {
			return Plan{}, fmt.Errorf("faults %q: not a list of numbers from 0 to %d", listed, len(p.Faults)-1)
		}
		keep = append(keep, i)
	}
	return p.only(keep), nil
}

func (p Plan) only(keep []int) Plan {
	faults := make([]Fault, 0, len(keep))
	for _, i := range keep {
		faults = append(faults, p.Faults[i])
	}
	p.Faults = faults
	return p
}
