package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/members"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// watchMembers looks at every resync whether somebody has left a workspace whose
// configuration wants to know, until ctx ends.
func (s *Service) watchMembers(ctx context.Context) {
	told := map[string]bool{}
	for {
		s.membersOnce(ctx, told)
		if !s.passed(ctx, time.Now(), func(cfg *config.Config) time.Duration { return cfg.Resync }) {
			return
		}
	}
}

// membersOnce has what those could know who have left replaced, with its grace period: a
// person may end that. told has what was said already.
func (s *Service) membersOnce(ctx context.Context, told map[string]bool) {
	f := s.running()
	if f.Fleet == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.Config.Workspaces)) {
		ws := f.Config.Workspaces[name]
		if !ws.RotateWhenMemberLeft {
			continue
		}
		d := f.crew.Left(ctx, name, ws.Members)
		if ctx.Err() != nil || s.running().Fleet != f.Fleet {
			return // its connections are closed: nothing that failed means anything
		}
		s.tellDeparture(f, d, told)
		f.crew.ReplaceFor(ctx, d, func(r rotator.Result) {
			if s.running().Fleet == f.Fleet {
				s.ended(r)
			}
		})
	}
}

// tellDeparture tells of each thing once.
func (s *Service) tellDeparture(f running, d members.Departure, told map[string]bool) {
	var what []string
	for _, address := range d.Gone {
		keys := known(d, address)
		if keys == "" {
			keys = "none that a target has"
		}
		what = append(what, fmt.Sprintf("%s is no longer in workspace %s, and could know these keys, which are replaced with their grace period: %s; "+
			"not to grant that: %s; then take them off the workspace's members", address, d.Workspace, keys, s.pasted("instantly-rotator offboard "+address)))
	}
	for _, k := range d.Loose {
		what = append(what, fmt.Sprintf("key %s (%s) of workspace %s was made by somebody who has left, and no target has it: revoke it in Instantly", k.ID, k.Name, k.Workspace))
	}
	for _, text := range append(what, d.Unknown...) {
		if told[text] {
			continue
		}
		told[text] = true
		f.Recorder().Event(trail.What{Verb: "member-left", Workspace: d.Workspace}, text)
		s.Log.Warn("members", zap.String("workspace", d.Workspace), zap.String("summary", text))
		s.tell(notify.Message{Kind: notify.NeedsPerson, Workspace: d.Workspace, Topic: "members " + text, Text: text, At: s.Now()})
	}
}

// known lists the targets that somebody could know.
func known(d members.Departure, address string) string {
	var targets []string
	for _, target := range slices.Sorted(maps.Keys(d.Known)) {
		if slices.Contains(d.Known[target], address) {
			targets = append(targets, target)
		}
	}
	return strings.Join(targets, ", ")
}
