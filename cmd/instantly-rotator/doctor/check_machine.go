package doctor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/consumers"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
)

// skew is by how much two clocks may differ. Dates are told to the second, and come over
// a network.
const skew = 30 * time.Second

// clocks compares ours with all that others tell.
func clocks(f Facts) []Finding {
	var all []Finding
	for _, c := range f.Clocks {
		if c.Ahead.Abs() < skew {
			all = append(all, good(c.Of, ""))
			continue
		}
		way := "behind"
		if c.Ahead < 0 {
			way = "ahead of"
		}
		all = append(all, bad(c.Of, fmt.Sprintf("this machine's clock is %s %s that of %s: grace periods end by the clock", humantime.Span(c.Ahead.Abs()), way, c.Of),
			"set the clock: timedatectl set-ntp true"))
	}
	if len(all) > 0 {
		return all
	}
	if slices.ContainsFunc(f.Workspaces, func(w Workspace) bool { return w.Listed != nil }) {
		return []Finding{follows("this machine")}
	}
	return []Finding{hidden("this machine", "nobody has told the time", "")}
}

func hooks(f Facts) []Finding {
	var all []Finding
	for _, h := range f.Hooks {
		one := judged(h.about(), h.Target, h.Found)
		if errors.Is(h.Found, consumers.ErrUncheckable) {
			one.Level = Hidden
		}
		if one.Level == Bad && one.Remedy == "" {
			one.Remedy = "put it right below after_promote of " + h.Target + ", or see to what the message names"
		}
		all = append(all, one)
	}
	return all
}

func receivers(f Facts) []Finding {
	var all []Finding
	for _, r := range f.Receivers {
		one := judged("notify."+r.Name, "", r.Found)
		if errors.Is(r.Found, notify.ErrURL) {
			one.Remedy = "put another URL into " + r.where() + ": " + one.Remedy
		}
		all = append(all, one)
	}
	return all
}

// where says where a receiver's URL is.
func (r Receiver) where() string {
	switch {
	case r.URL.Env != "":
		return "the environment variable " + r.URL.Env
	case r.URL.File != "":
		return "the file " + r.URL.File
	default:
		return "store " + r.URL.Store + ", secret " + r.URL.Secret
	}
}
