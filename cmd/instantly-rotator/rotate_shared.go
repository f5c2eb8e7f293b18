package main

import (
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// manyAlike is from how many targets on the same trouble is told once.
const manyAlike = 4

// sharedObstacles gives what was in the way of many targets, and tells of each target
// whether it is among them. In an incident each target is told of by itself.
func sharedObstacles(results []rotator.Result) (shared []status.Obstacle, told map[string]bool) {
	var report status.Report
	for _, r := range results {
		if r.Err != nil && r.Status.Incident.IsZero() {
			report.Targets = append(report.Targets, status.Of(r.Status, time.Time{}))
		}
	}
	told = map[string]bool{}
	for _, o := range report.Obstacles() {
		if len(o.Targets) < manyAlike || o.Sink != "" { // of a sink: the rotation itself was done
			continue
		}
		shared = append(shared, o)
		for _, name := range o.Targets {
			told[name] = true
		}
	}
	return shared, told
}

// reportShared tells of one, and what becomes of the rotations.
func (a *app) reportShared(o status.Obstacle, f rotateFlags) {
	a.tellObstacle(o)
	if !f.due && !f.oldAlone() {
		a.say(text.FgYellow, "  hint", "these rotations were asked for by hand: no later run repeats them unless they are due; again: instantly-rotator rotate --force "+
			strings.Join(o.Targets, " "))
	}
}
