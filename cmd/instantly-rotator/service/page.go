package service

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	loop "github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/page"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

// refusal is a configuration that was not taken over; its zero value: there is none.
type refusal struct {
	why   string
	since time.Time
}

// refuse takes note of a configuration that is not taken over. Since when stands as long as
// the same is wrong with it.
func (s *Service) refuse(err error) {
	why, _, _ := strings.Cut(err.Error(), "\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused.why != why {
		s.refused = refusal{why, s.Now()}
	}
}

// page is what people are shown in a browser.
func (s *Service) page(gate *loop.Gate) http.Handler {
	return page.New(page.Source{
		Now: s.Now, Report: s.report, Pasted: s.pasted, Process: s.process, Policies: s.policies, Gate: gate,
		Audit: func() *audit.Report {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.audits.last
		},
		Trail: func() page.Trail { return trailOf(s.inForce().Trail) },
	})
}

// process tells how the daemon is.
func (s *Service) process() page.Process {
	p := page.Process{
		Version: s.Version, Instance: fleet.Instance(), Leads: s.leads() != nil, Standing: s.standsBy(), Unasked: s.leaderUnknown(),
		Resync: s.inForce().Resync, CircuitOpen: s.circuitOpen(),
	}
	if err := s.alive(); err != nil {
		p.Hung = err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Reloaded, p.Refused, p.RefusedAt = s.reloaded, s.refused.why, s.refused.since
	return p
}

// policies tells how keys are to be kept, by the configuration in force.
func (s *Service) policies() []page.Policy {
	cfg := s.inForce()
	all := make([]page.Policy, 0, len(cfg.Keys))
	for _, k := range cfg.Keys {
		p := page.Policy{
			Target: k.Name, Workspace: k.Workspace, Scopes: k.Scopes, Reason: k.AllowCriticalScopes,
			Schedule: k.Schedule.String(), MaxAge: k.MaxAge, Grace: k.Grace, Risk: "none of its own",
		}
		if k.Webhooks == nil {
			p.Risk = instantly.RiskOf(k.Scopes).String()
		}
		for _, ref := range k.Stores {
			p.Places = append(p.Places, page.Place{Name: ref.Store, Secret: ref.Secret})
		}
		for _, ref := range k.Sinks {
			p.Places = append(p.Places, page.Place{Name: "sink " + ref.Sink, Secret: ref.Place, Sink: sinkkind.Name(ref.Sink, ref.Place)})
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b page.Policy) int { return cmp.Compare(a.Target, b.Target) })
	return all
}

// trailOf tells where the record is, if it can be read here.
func trailOf(t *config.Trail) page.Trail {
	switch {
	case t == nil:
		return page.Trail{Missing: "no trail is configured"}
	case t.Dir == "":
		return page.Trail{Missing: "the trail is written to the output, and cannot be read here"}
	default:
		return page.Trail{Dir: t.Dir}
	}
}
