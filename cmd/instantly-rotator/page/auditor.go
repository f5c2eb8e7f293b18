package page

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// auditorBody is what an auditor's page shows.
type auditorBody struct {
	Keys        []keptKey
	Query       string
	Found, All  int
	Page, Pages int
	Prev, Next  string

	Audit    *audit.Report
	Counts   string
	Findings []found
	More     int
	Foreign  []audit.Finding
	Trail    Trail
	Logs     []checkpoint
	Commands map[string]string
}

// keptKey is a target's current key, beside the policy. It is a line of the downloads too.
type keptKey struct {
	Target        string     `json:"target"`
	Workspace     string     `json:"workspace"`
	KeyID         string     `json:"key_id,omitempty"`
	State         string     `json:"state"`
	Scopes        []string   `json:"scopes"`
	Risk          string     `json:"risk"`
	Reason        string     `json:"reason,omitempty"`
	Since         *time.Time `json:"current_since,omitempty"`
	AgeSeconds    int64      `json:"age_seconds,omitempty"`
	MaxAgeSeconds int64      `json:"max_age_seconds"`
	TooOld        bool       `json:"older_than_max_age"`
	NextRotation  *time.Time `json:"next_rotation,omitempty"`
	Schedule      string     `json:"schedule"`
	GraceSeconds  int64      `json:"grace_seconds"`
	Places        []string   `json:"places"`
	KnownAt       *time.Time `json:"known_at,omitempty"`
	NotMoved      []string   `json:"not_moved,omitempty"` // places and consumers without the current key
}

// found is a finding, with its commands.
type found struct {
	audit.Finding

	Remedies []segment
}

// checkpoint is the last one of a log.
type checkpoint struct {
	Log, Text, Error string
}

// mostFindings is how many are shown; the download has all.
const mostFindings = 100

// keptKeys lists all targets, by name.
func (o *overview) keptKeys() []keptKey {
	var all []keptKey
	for _, name := range o.names() {
		p := o.policies[name]
		k := keptKey{
			Target: name, Workspace: p.Workspace, State: "not looked at yet", Scopes: p.Scopes, Risk: p.Risk, Reason: p.Reason,
			MaxAgeSeconds: int64(p.MaxAge / time.Second), GraceSeconds: int64(p.Grace / time.Second), Schedule: p.Schedule,
		}
		for _, place := range p.Places {
			k.Places = append(k.Places, strings.TrimSpace(place.Name+" "+place.Secret))
		}
		if i, seen := o.byName[name]; seen {
			t := o.targets[i]
			k.KeyID, k.State, k.Since, k.AgeSeconds, k.NextRotation, k.KnownAt = t.KeyID, t.State.Text(), t.Since, t.AgeSeconds, t.NextRotation, t.KnownAt
			k.TooOld = o.tooOld(t)
			for _, u := range notMovedOf(t) {
				k.NotMoved = append(k.NotMoved, u.What)
			}
		}
		all = append(all, k)
	}
	return all
}

// names lists the targets that are configured.
func (o *overview) names() []string {
	names := make([]string, 0, len(o.policies))
	for name := range o.policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// auditorPage shows what an auditor asks for.
func (s *Site) auditorPage(w http.ResponseWriter, r *http.Request) {
	o := s.overview()
	b := auditorBody{Audit: s.Audit(), Trail: s.Trail(), Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	b.Commands = map[string]string{
		"audit": s.Pasted(remedy.Program + " audit"), "verify": s.Pasted(remedy.Program + " trail verify"), "evidence": s.Pasted(remedy.Program + " evidence"),
	}
	b.list(o, r)
	b.found(o)
	b.Logs = s.checkpoints(b.Trail)
	v := s.view("auditor", "Auditor", b)
	v.Refresh = false // somebody reads
	s.render(w, r, http.StatusOK, "auditor.html", v)
}

// list takes the part of the keys that was asked for.
func (b *auditorBody) list(o *overview, r *http.Request) {
	all := o.keptKeys()
	b.All = len(all)
	all = slices.DeleteFunc(all, func(k keptKey) bool {
		return b.Query != "" && !strings.Contains(k.Target, b.Query) && !strings.Contains(k.KeyID, b.Query) && !strings.Contains(k.Risk, b.Query)
	})
	b.Found, b.Pages = len(all), (len(all)+rowsShown-1)/rowsShown
	asked, _ := strconv.Atoi(r.URL.Query().Get("page")) // anything else is the first
	b.Page = max(1, min(asked, b.Pages))
	b.Keys = all[min(len(all), (b.Page-1)*rowsShown):min(len(all), b.Page*rowsShown)]
	part := listed{Pages: b.Pages}
	b.Prev, b.Next = part.link(r.URL.Query(), b.Page-1), part.link(r.URL.Query(), b.Page+1)
}

// found takes the findings of the last audit: what is not ours by itself.
func (b *auditorBody) found(o *overview) {
	if b.Audit == nil {
		return
	}
	b.Counts = audit.CountText(b.Audit.Open())
	for _, f := range b.Audit.Findings {
		switch {
		case f.Check == keyNotOurs && f.Severity != audit.NotKnown:
			b.Foreign = append(b.Foreign, f)
		case len(b.Findings) == mostFindings:
			b.More++
		default:
			b.Findings = append(b.Findings, found{f, o.segments(f.Remedy)})
		}
	}
	if n := len(b.Foreign) - mostFindings; n > 0 {
		b.Foreign, b.More = b.Foreign[:mostFindings], b.More+n
	}
}

// keyNotOurs is the check that names the keys which nobody rotates.
const keyNotOurs = "KEY-02"

// checkpoints gives the last one of each log.
func (s *Site) checkpoints(t Trail) []checkpoint {
	if t.Dir == "" {
		return nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if now := s.Now(); s.signed.Dir != t.Dir || now.Sub(s.signed.at) > readAgain {
		s.signed = signedTrail{Trail: t, at: now, last: lastCheckpoints(t.Dir)}
	}
	return s.signed.last
}

// signedTrail is what was read of a trail, and when.
type signedTrail struct {
	Trail

	at   time.Time
	last []checkpoint
}

func lastCheckpoints(dir string) []checkpoint {
	logs, err := trail.Logs(dir)
	if err == nil && len(logs) == 0 {
		err = errors.New("nothing was recorded yet")
	}
	if err != nil {
		return []checkpoint{{Log: filepath.Base(dir), Error: err.Error()}}
	}
	var all []checkpoint
	for _, log := range logs {
		c := checkpoint{Log: filepath.Base(log)}
		key, err := trail.ReadKey(filepath.Join(log, "key.pub"))
		if err == nil {
			var last trail.Checkpoint
			last, err = trail.LastCheckpoint(log, key)
			c.Text = last.Text
		}
		if err != nil {
			c.Error = err.Error()
		}
		all = append(all, c)
	}
	return all
}
