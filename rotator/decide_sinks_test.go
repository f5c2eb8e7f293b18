package rotator

// Inside the package as decide is.

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

// marked gives the target a sink that says by a mark that it has a key.
func (s State) marked(id string) State {
	s.Sinks = append(s.Sinks, SinkState{Name: "marked", Marked: true, Asked: 2, Mark: id})
	return s
}

// unmarked gives the target a sink that cannot say what it has.
func (s State) unmarked() State {
	s.Sinks = append(s.Sinks, SinkState{Name: "blind", Asked: 2})
	return s
}

// receipted notes down that all sinks were given a key.
func (s State) receipted(id string, at time.Time) State {
	r := secretstore.Receipt{KeyID: id, At: at}
	for _, k := range s.Sinks {
		r.Sinks += k.receiptMark() + markGiven
	}
	s.Stores[0].Notes.Receipt = r
	return s
}

// sinks changes what is known of them.
func (s State) sinks(change func(*SinkState)) State {
	for i := range s.Sinks {
		change(&s.Sinks[i])
	}
	return s
}

func TestDecideWithSinks(t *testing.T) {
	const cur, prev, pend = secretstore.Current, secretstore.Previous, secretstore.Pending
	day := 24 * time.Hour
	settledIn := func() State {
		return situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).testedAs(0, "k1", Valid)
	}
	graceOver := func() State {
		s := settledIn().with(0, prev, "k0", t0).listed("k0", ours("0"))
		s.Stores[0].Seen = 3 // after the sinks
		return s
	}
	for _, c := range []struct {
		situation string
		state     State
		request   Request
		want      string
	}{
		{"a sink was not asked", settledIn().marked("").sinks(func(s *SinkState) { s.Asked = 0 }), Request{}, "ask-sinks"},
		{"a sink says that it has nothing", settledIn().marked(""), Request{}, "supply k1"},
		{"a sink says that it has another key", settledIn().marked("k9"), Request{}, "supply k1"},
		{"the same, and the current key was not just tested", situation().with(0, cur, "k1", t0.Add(-day)).listed("k1", ours("1")).marked("k9"), Request{}, "verify k1"},
		{"the same, and it was given the key in this run", settledIn().marked("k9").sinks(func(s *SinkState) { s.Tried, s.GivenAt = "k1", 1 }), Request{}, "stop"},
		{"a sink has the key by its mark, and nothing says that it was put there as it is now", settledIn().marked("k1"), Request{}, "supply k1"},
		{"the same, and this run has given it", settledIn().marked("k1").sinks(func(s *SinkState) { s.Tried, s.GivenAt = "k1", 3 }), Request{}, "note-receipt k1"},
		{"the receipt is older than a key that nothing refers to", settledIn().made("k1", ours("1"), t0.Add(-2*day)).made("k9", ours("9"), t0).unmarked().receipted("k1", t0.Add(-day)), Request{}, "supply k1"},
		{"the same, and this run wrote it", func() State {
			s := settledIn().made("k1", ours("1"), t0.Add(-2*day)).made("k9", ours("9"), t0).unmarked().receipted("k1", t0)
			s.Receipted = 3
			return s
		}(), Request{}, "settled"},
		{"a sink has the key, by its mark", settledIn().marked("k1").receipted("k1", t0.Add(-day)), Request{}, "settled"},
		{"a sink without a mark is new", settledIn().unmarked(), Request{}, "supply k1"},
		{"a sink without a mark was given the key before", settledIn().unmarked().receipted("k0", t0.Add(-day)), Request{}, "supply k1"},
		{"a sink without a mark was given the key", settledIn().unmarked().receipted("k1", t0.Add(-day)), Request{}, "settled"},
		{"a sink that is configured no more is on the receipt", func() State { s := settledIn().unmarked().receipted("k1", t0); s.Sinks = nil; return s }(), Request{}, "note-receipt"},
		{"a sink cannot be asked", settledIn().marked("").sinks(func(s *SinkState) { s.AskErr = errors.New("down") }), Request{}, "stop"},
		{"one of two cannot be asked", settledIn().marked("").sinks(func(s *SinkState) { s.AskErr = errors.New("down") }).unmarked(), Request{}, "supply k1"},
		{"a follower does not have the key yet", settledIn().followed().with(1, cur, "k0", t0.Add(-day)).marked("k0"), Request{}, "stage k1"},
		{"a follower cannot be read", func() State {
			s := settledIn().followed().marked("k0")
			s.Stores[1].Err = errors.New("down")
			return s
		}(), Request{}, "stop"},
		{"a key is pending", situation().with(0, pend, "k2", time.Time{}).listed("k2", ours("n-k2")).testedAs(0, "k2", Valid).marked("k1"), Request{}, "promote k2"},
		{"a hand's value is current", situation().byHand(0, cur, t0.Add(-day)).testedAs(0, "hand", Valid).marked("k1"), Request{}, "settled"},
		{"the current key is dead", settledIn().testedAs(0, "k1", Invalid).marked("k0"), Request{}, "reserve"},
		{"the old key's grace is over, and every sink has the current one", graceOver().marked("k1").unmarked().receipted("k1", t0.Add(-day)), Request{}, "revoke k0"},
		{"the old key's grace is over, and the sinks were given the current one an hour ago", graceOver().marked("k1").unmarked().receipted("k1", t0.Add(-time.Hour)), Request{}, "settled"},
		{"the same, and the grace period is ended", graceOver().marked("k1").unmarked().receipted("k1", t0.Add(-time.Hour)), Request{EndGrace: true, NoRotation: true}, "revoke k0"},
		{"the old key's grace is over, and a sink was not asked since the current one was tested", graceOver().marked("k1").receipted("k1", t0.Add(-day)).sinks(func(s *SinkState) { s.Asked = 1 }), Request{}, "ask-sinks"},
		{"the old key's grace is over, and the stores were not read since the sinks were asked", graceOver().marked("k1").receipted("k1", t0.Add(-day)).sinks(func(s *SinkState) { s.Asked = 3 }), Request{}, "observe"},
		{"the grace period is ended, and a sink fails", graceOver().marked("k0").sinks(func(s *SinkState) { s.Tried, s.PutErr = "k1", errors.New("down") }), Request{EndGrace: true, NoRotation: true}, "stop"},
		{"what uses a sink was not asked", graceOver().unmarked().receipted("k1", t0.Add(-day)).sinks(func(s *SinkState) { s.Checked = true }), Request{}, "check-sink k1"},
		{"what uses a sink does not work yet", graceOver().unmarked().receipted("k1", t0.Add(-day)).sinks(func(s *SinkState) { s.Checked, s.NotYet = true, sink.ErrNotYet }), Request{}, "stop"},
		{"an incident, and a sink fails", graceOver().compromised().marked("k0").sinks(func(s *SinkState) { s.Tried, s.PutErr = "k1", errors.New("down") }), Request{}, "revoke k0"},
		{"an incident, and a sink was not tried", graceOver().compromised().marked("k0"), Request{}, "supply k1"},
		{"a race was lost, after a sink was given the key of before", settledIn().lost("n-9").unmarked().receipted("k1", t0).sinks(func(s *SinkState) { s.Tried, s.GivenAt = "k0", 3 }), Request{}, "note-receipt k1"},
		{"the same, and nothing says that it has the current one", settledIn().lost("n-9").unmarked().sinks(func(s *SinkState) { s.Tried, s.GivenAt = "k0", 3 }), Request{}, "supply k1"},
		{"the same, and it was not taken by one that says it has the current one", settledIn().lost("n-9").marked("k1").receipted("k1", t0).sinks(func(s *SinkState) { s.Tried = "k0" }), Request{}, "supply k1"},
		{"a key that nothing refers to is what a sink says it has", settledIn().made("k1", ours("1"), t0.Add(-day)).made("k9", ours("9"), t0).marked("k9").sinks(func(s *SinkState) { s.Tried, s.PutErr = "k1", errors.New("down") }), Request{}, "stop"},
	} {
		t.Run(c.situation, func(t *testing.T) {
			got := decide(t0, c.state, testPolicy(), c.request)
			said := string(got.Verb)
			if got.ID != "" && got.Verb != Stop {
				said += " " + got.ID
			}
			if said != c.want {
				t.Errorf("decide says %q (%s), want %q", said, got.Reason, c.want)
			}
		})
	}
}

// compromised is an incident about all keys but the current one.
func (s State) compromised() State {
	for stage, ver := range s.Stores[0].Versions {
		if ver.Intent.At = t0.Add(-time.Hour); stage != secretstore.Current {
			ver.Intent.At = t0.Add(-1000 * time.Hour)
		}
		s.Stores[0].Versions[stage] = ver
	}
	s.Stores[0].Notes.Incident = secretstore.Incident{ID: "INC-1", At: t0.Add(-2 * time.Hour)}
	return s
}

// Whatever is known: only a key that is current and works is given to a sink, and no key is
// revoked before every sink is known to have the current one, and since when.
func TestDecideBreaksNoRuleOfSinks(t *testing.T) {
	ids := []string{"", "k0", "k1", "k2", "k3"}
	rapid.Check(t, func(t *rapid.T) {
		s := randomState(t)
		for _, k := range []SinkState{{Name: "marked", Marked: true}, {Name: "blind", Checked: true}}[:rapid.IntRange(1, 2).Draw(t, "sinks")] {
			k.Asked = moment(rapid.IntRange(0, 6).Draw(t, "asked"))
			k.Mark = rapid.SampledFrom(ids).Draw(t, "mark")
			k.Tried = rapid.SampledFrom(ids).Draw(t, "tried")
			if k.Tried != "" && rapid.Bool().Draw(t, "given") {
				k.GivenAt = moment(rapid.IntRange(1, 6).Draw(t, "given at"))
			}
			if rapid.IntRange(0, 3).Draw(t, "down") == 0 {
				k.AskErr = errors.New("down")
			}
			s.Sinks = append(s.Sinks, k)
		}
		s.receipted(rapid.SampledFrom(ids[1:]).Draw(t, "receipt"), t0.Add(-rapid.SampledFrom([]time.Duration{time.Hour, 25 * time.Hour}).Draw(t, "since")))
		r := randomRequest(t)
		step := decide(t0, s, testPolicy(), r)
		cur, ok := s.current(0)
		switch {
		case step.Verb == Supply:
			got := s.Tests[place{0, cur.ID}]
			if !ok || cur.Foreign || step.ID != cur.ID || got.Verdict != Valid || t0.Sub(got.At) > fresh {
				t.Fatalf("gives %s to a sink, while %s is current", step.ID, cur.ID)
			}
		case step.Verb == Revoke && r.Incident == "":
			for _, k := range s.Sinks {
				given, _ := k.receipted(s.primary().Notes.Receipt, cur.ID)
				if !k.has(cur.ID, s.primary().Notes.Receipt) || !given || !r.EndGrace && s.primary().Notes.Receipt.At.After(t0.Add(-24*time.Hour)) {
					t.Fatalf("revokes %s, while sink %s: %+v", step.ID, k.Name, k)
				}
				if k.Marked && k.Mark == step.ID && k.Asked >= k.GivenAt {
					t.Fatalf("revokes %s, which sink %s says it has", step.ID, k.Name)
				}
			}
		}
	})
}
