package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/evidence"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

const (
	// shownTime is how far back a timeline goes.
	shownTime = 366 * 24 * time.Hour
	// mostEvents is how many doings are listed, the last ones.
	mostEvents = 50
	// readAgain is how long what was read of a trail is shown before it is read again: a
	// long one takes seconds.
	readAgain = 30 * time.Second
)

// past is what became of a target's keys.
type past struct {
	// Source says where it is from, and what that means.
	Source string
	Lives  []keyLife
	Bands  []band
	Doings []doing
}

// keyLife is a key from its issue to its death. What is not known is zero.
type keyLife struct {
	ID                                         string
	Issued, Promoted, Displaced, Revoked, Dead time.Time
	End                                        string
}

// begins is the first that is known of it.
func (k keyLife) begins() time.Time {
	if !k.Issued.IsZero() {
		return k.Issued
	}
	return k.Promoted
}

// band is an incident or a hold. One that has not ended has a zero To.
type band struct {
	Kind, Name string
	From, To   time.Time
}

// doing is an entry of the trail, with what came of it.
type doing struct {
	At                         time.Time
	Verb, Key, Place, Why, Who string
	Result, Error              string
}

// readHistory is a past that was read, and when.
type readHistory struct {
	past
	at  time.Time
	err error
}

// past gives what became of a target's keys: from the trail, or as far as the notes go.
func (s *Site) past(t status.Target) past {
	now, from := s.Now(), s.Trail()
	if from.Dir == "" {
		p := fromNotes(t)
		p.Source = "From the notes in the store, which know the last two keys only: " + from.Missing
		return p
	}
	s.reading.Lock() // one after the other: each reads the whole trail
	defer s.reading.Unlock()
	read, ok := s.read[t.Target]
	if !ok || now.Sub(read.at) > readAgain {
		read.past, read.err = fromTrail(from.Dir, t.Target, now)
		read.at = now
		for name, old := range s.read {
			if now.Sub(old.at) > readAgain {
				delete(s.read, name)
			}
		}
		s.read[t.Target] = read
	}
	if read.err != nil {
		p := fromNotes(t)
		p.Source = "From the notes in the store, which know the last two keys only; the trail could not be read: " + read.err.Error()
		return p
	}
	return read.past
}

// fromNotes gives what the primary store has noted down.
func fromNotes(t status.Target) past {
	var p past
	for _, h := range t.Held {
		k := keyLife{ID: h.ID, Issued: value(h.Issued), Promoted: value(h.Promoted), End: string(h.Stage)}
		if h.Stage == secretstore.Previous {
			k.Displaced = value(t.Since)
		}
		p.Lives = append(p.Lives, k)
	}
	slices.SortStableFunc(p.Lives, func(a, b keyLife) int { return a.begins().Compare(b.begins()) })
	if t.Incident != nil {
		p.Bands = append(p.Bands, band{Kind: "incident", Name: t.Incident.ID, From: t.Incident.At})
	}
	if t.Hold != nil {
		p.Bands = append(p.Bands, band{Kind: "hold", Name: t.Hold.Reason, From: t.Hold.Since})
	}
	return p
}

func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// fromTrail reads what the logs in a folder tell of a target.
func fromTrail(dir, target string, now time.Time) (past, error) {
	logs, err := trail.Logs(dir)
	if err != nil {
		return past{}, err
	}
	in := evidence.Input{From: now.Add(-shownTime), To: now, Made: now}
	for _, path := range logs {
		entries, err := entriesOf(path, target)
		if err != nil {
			return past{}, err
		}
		if len(entries) > 0 {
			in.Logs = append(in.Logs, evidence.Log{Record: evidence.Record{Log: filepath.Base(path)}, Entries: entries})
		}
	}
	p := past{Source: "From the trail, as it is written; whether nobody changed it, “trail verify” tells."}
	report := evidence.Make(in)
	for _, t := range report.Targets {
		if t.Name == target {
			p.Lives = livesOf(t.Keys, in.From)
		}
	}
	p.Bands = bandsOf(report)
	p.Doings = doingsOf(in.Logs)
	return p, nil
}

// entriesOf gives the entries of a log that are about a target. The others are not even
// taken apart: there may be millions.
func entriesOf(path, target string) ([]trail.Entry, error) {
	var all []trail.Entry
	mark := []byte(`"target":"` + target + `"`)
	err := trail.Lines(path, func(line []byte, cut bool) error {
		if cut || !bytes.Contains(line, mark) {
			return nil
		}
		var e trail.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s: %w: %w", path, trail.ErrDamaged, err)
		}
		if e.Target == target {
			all = append(all, e)
		}
		return nil
	})
	return all, err
}

// livesOf gives the keys that lived since then.
func livesOf(keys []evidence.Key, since time.Time) (all []keyLife) {
	for _, k := range keys {
		l := keyLife{ID: k.ID, Issued: k.Issued.At, Promoted: k.Promoted.At, Displaced: k.Displaced.At, Revoked: k.Revoked.At, Dead: k.Dead.At, End: string(k.End)}
		end := l.Revoked
		if l.Dead.After(end) {
			end = l.Dead
		}
		if end.IsZero() || end.After(since) {
			all = append(all, l)
		}
	}
	slices.SortStableFunc(all, func(a, b keyLife) int { return a.begins().Compare(b.begins()) })
	return all
}

func bandsOf(report evidence.Report) (all []band) {
	for _, in := range report.Incidents {
		all = append(all, band{"incident", in.ID, in.Declared.At, in.Resolved.At})
	}
	for _, x := range report.Exceptions {
		if x.Kind == "hold" {
			all = append(all, band{"hold", x.Reason, x.Began.At, x.Ended.At})
		}
	}
	return all
}

// doingsOf lists what was done, the last first.
func doingsOf(logs []evidence.Log) []doing {
	var all []doing
	for _, l := range logs {
		came := map[int64]trail.Entry{}
		for _, e := range l.Entries {
			if e.Kind == trail.Outcome {
				came[e.Of] = e
			}
		}
		for _, e := range l.Entries {
			if e.Kind != trail.Intent {
				continue
			}
			d := doing{At: e.Time, Verb: e.Verb, Key: e.Key, Place: e.Store, Why: e.Why, Who: whoOf(e), Result: "not known"}
			if o, ok := came[e.Seq]; ok {
				d.Result, d.Error = o.Result, o.Error
				if d.Key == "" {
					d.Key = o.Key
				}
			}
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b doing) int { return b.At.Compare(a.At) })
	return all[:min(len(all), mostEvents)]
}

func whoOf(e trail.Entry) string {
	return strings.TrimSpace(e.User + " " + e.Command)
}

// targetPath is where a target's page is.
func targetPath(name string) string { return "/target/" + url.PathEscape(name) }
