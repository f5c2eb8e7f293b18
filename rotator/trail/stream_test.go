package trail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
)

// shelf keeps one state in memory, and fails as it is told.
type shelf struct {
	mu    sync.Mutex
	kept  trail.Kept
	moved int
	// before and after are asked before and after a state is taken.
	before, after func() error
}

func (s *shelf) Load(context.Context) (trail.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept, nil
}

func (s *shelf) Swap(_ context.Context, to trail.Kept) (trail.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil {
		if err := s.before(); err != nil {
			return trail.Kept{}, err
		}
	}
	if to.Revision != s.kept.Revision {
		return trail.Kept{}, trail.ErrMoved
	}
	s.moved++
	to.Revision = strconv.Itoa(s.moved)
	s.kept = to
	if s.after != nil {
		if err := s.after(); err != nil {
			return trail.Kept{}, err
		}
	}
	return to, nil
}

// pods are processes that write one log.
type pods struct {
	*testing.T
	shelf  shelf
	key    string // the file
	public string
}

func newPods(t *testing.T) *pods {
	t.Helper()
	dir := t.TempDir()
	public, err := trail.MakeKey(dir, "cluster")
	if err != nil {
		t.Fatal(err)
	}
	return &pods{T: t, key: filepath.Join(dir, "key"), public: public}
}

func (p *pods) start(out *bytes.Buffer) *trail.Stream {
	return trail.NewStream(trail.StreamOptions{Out: out, Shelf: &p.shelf, KeyFile: p.key, Now: func() time.Time { return time.Unix(0, 0) }})
}

// done writes an intent that is kept, and its outcome.
func done(t *testing.T, s *trail.Stream, target string) {
	t.Helper()
	of, err := s.Append(stage(target), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tell(trail.Entry{Kind: trail.Outcome, Of: of, Result: "ok", What: trail.What{Target: target}}); err != nil {
		t.Fatal(err)
	}
}

// known is what the shelf has, as whoever verifies keeps it.
func (p *pods) known() *trail.Checkpoint {
	p.Helper()
	path := filepath.Join(p.TempDir(), "checkpoint")
	if err := os.WriteFile(path, []byte(p.shelf.kept.Checkpoint), 0o600); err != nil {
		p.Fatal(err)
	}
	cp, err := trail.ReadCheckpoint(path, p.shelf.kept.PublicKey)
	if err != nil {
		p.Fatal(err)
	}
	return &cp
}

func (p *pods) verify(collected string) (trail.Report, []trail.Entry, error) {
	p.Helper()
	path := filepath.Join(p.TempDir(), "collected")
	if err := os.WriteFile(path, []byte(collected), 0o600); err != nil {
		p.Fatal(err)
	}
	r, err := trail.Verify(path, p.public, p.known())
	return r, entries(p.T, path), err
}

// mustVerify gives what is in the log, as TARGET or TARGET:outcome, each outcome held
// against its intent.
func (p *pods) mustVerify(collected string) (trail.Report, []string) {
	p.Helper()
	r, all, err := p.verify(collected)
	if err != nil {
		p.Fatalf("verify: %v\n%s", err, collected)
	}
	var out []string
	for i, e := range all {
		switch {
		case e.Seq != int64(i):
			p.Fatalf("entry %d has number %d", i, e.Seq)
		case e.Kind == trail.Outcome && all[e.Of].Target != e.Target:
			p.Errorf("the outcome %d of %s is that of an intent for %s", i, e.Target, all[e.Of].Target)
		case e.Kind == trail.Outcome:
			out = append(out, e.Target+":"+e.Result)
		case e.Kind == trail.Intent:
			out = append(out, e.Target)
		}
	}
	return r, out
}

func TestAStreamGoesOnWhereTheLastRunEnded(t *testing.T) {
	p := newPods(t)
	var all bytes.Buffer
	for i := range 5 {
		fmt.Fprintf(&all, "a line of the program's log %d\n", i)
		s := p.start(&all)
		done(t, s, fmt.Sprint("t", i))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, got := p.mustVerify(all.String())
	if want := "t0 t0:ok t1 t1:ok t2 t2:ok t3 t3:ok t4 t4:ok"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if r.Size != 11 || r.Signed != 11 || r.Loose != 0 || !r.Known {
		t.Errorf("report %+v", r)
	}
}

// Killed before the shelf took the state, or between that and the checkpoint's line.
func TestARunThatIsKilledLeavesALogThatGoesOn(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprint("taken ", taken), func(t *testing.T) {
			p := newPods(t)
			var all bytes.Buffer
			done(t, p.start(&all), "a") // its outcome is not kept: it is killed
			gone := errors.New("the connection is gone")
			fails := func() error { return gone }
			if taken {
				p.shelf.after = fails
			} else {
				p.shelf.before = fails
			}
			if _, err := p.start(&all).Append(stage("b"), true); !errors.Is(err, trail.ErrUnwritable) || !errors.Is(err, gone) {
				t.Fatalf("the effect happens, though its intent is not kept: %v", err)
			}
			if taken {
				p.mustVerify(all.String())
			}
			p.shelf.before, p.shelf.after = nil, nil
			s := p.start(&all)
			done(t, s, "c")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			want, loose := "a c c:ok", int64(2)
			if taken {
				want, loose = "a b c c:ok", 1
			}
			r, got := p.mustVerify(all.String())
			if strings.Join(got, " ") != want || r.Loose != loose {
				t.Errorf("got %v and %d loose, want %s and %d", got, r.Loose, want, loose)
			}
		})
	}
}

// The same process goes on after an answer was lost.
func TestAStateThatWasTakenUnsaidIsRecognized(t *testing.T) {
	p := newPods(t)
	var all bytes.Buffer
	s := p.start(&all)
	done(t, s, "a")
	p.shelf.after = func() error { return errors.New("the answer is lost") }
	if _, err := s.Append(stage("b"), true); err == nil {
		t.Fatal("no error")
	}
	p.shelf.after = nil
	done(t, s, "c")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got := p.mustVerify(all.String()); strings.Join(got, " ") != "a a:ok b c c:ok" {
		t.Errorf("got %v", got)
	}
}

func TestTwoPodsCannotForkTheChain(t *testing.T) {
	p := newPods(t)
	var one, two bytes.Buffer
	a, b := p.start(&one), p.start(&two)
	for i := range 6 {
		done(t, a, fmt.Sprint("a", i))
		if i%2 == 0 {
			done(t, b, fmt.Sprint("b", i))
		}
	}
	for _, s := range []*trail.Stream{a, b} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, all := range []string{one.String() + two.String(), two.String() + one.String()} {
		r, got := p.mustVerify(all)
		if len(got) != 18 || r.Loose == 0 {
			t.Errorf("%d entries, %d loose: %v", len(got), r.Loose, got)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 18 {
			t.Errorf("one is there twice: %v", got)
		}
	}
	if _, _, err := p.verify(one.String()); err == nil {
		t.Error("the lines of one pod alone are said to be all")
	}
}

func TestALineThatWasCutOffIsWrittenAgain(t *testing.T) {
	p := newPods(t)
	full := &filling{}
	s := trail.NewStream(trail.StreamOptions{Out: full, Shelf: &p.shelf, KeyFile: p.key})
	done(t, s, "a")
	full.room = 20
	if _, err := s.Append(stage("b"), true); !errors.Is(err, trail.ErrUnwritable) {
		t.Fatalf("got %v", err)
	}
	done(t, s, "c")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, got := p.mustVerify(full.String()); strings.Join(got, " ") != "a a:ok c c:ok" {
		t.Errorf("got %v", got)
	}
}

// filling takes so many bytes of a line once, if there is so little room.
type filling struct {
	bytes.Buffer
	room int
}

func (f *filling) Write(b []byte) (int, error) {
	if f.room > 0 {
		n, _ := f.Buffer.Write(b[:f.room])
		f.room = 0
		return n, errors.New("no space left")
	}
	return f.Buffer.Write(b)
}

func TestACollectedLineThatIsChangedOrMissingIsFound(t *testing.T) {
	p := newPods(t)
	var all bytes.Buffer
	for i := range 4 {
		s := p.start(&all)
		done(t, s, fmt.Sprint("t", i))
		done(t, s, fmt.Sprint("u", i))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lines := slices.Collect(strings.Lines(all.String()))
	for i, line := range lines {
		if !strings.HasPrefix(line, `{"seq":`) {
			continue
		}
		without := slices.Concat(lines[:i], lines[i+1:])
		changed := slices.Concat(lines[:i], []string{strings.Replace(line, `"kind":"`, `"kind":"x`, 1)}, lines[i+1:])
		for what, lines := range map[string][]string{"missing": without, "changed": changed} {
			if _, _, err := p.verify(strings.Join(lines, "")); err == nil {
				t.Errorf("line %d is %s, and is not found", i, what)
			}
		}
	}
	for n := range len(lines) - 1 { // the last is the checkpoint that is kept
		if _, _, err := p.verify(strings.Join(lines[:n], "")); err == nil {
			t.Errorf("cut off after line %d, and not found", n)
		}
	}
}

// Of several pods, with several targets each, at the same time: each effect that was
// allowed is in the log, with its own outcome, and none twice.
func TestManyWriteAStreamAtOnce(t *testing.T) {
	p := newPods(t)
	const each = 5
	var outs [3]bytes.Buffer
	var wg sync.WaitGroup
	var mu sync.Mutex
	want := map[string]bool{}
	var streams []*trail.Stream
	for pod := range outs {
		s := p.start(&outs[pod])
		streams = append(streams, s)
		for target := range 6 {
			wg.Go(func() {
				for i := range each {
					name := fmt.Sprintf("p%d-t%d-%d", pod, target, i)
					of, err := s.Append(stage(name), i%2 == 0)
					if errors.Is(err, trail.ErrMoved) { // too many were faster: it is not done
						continue
					}
					if err == nil {
						err = s.Tell(trail.Entry{Kind: trail.Outcome, Of: of, Result: "ok", What: trail.What{Target: name}})
					}
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					want[name] = true
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	for _, s := range streams {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, got := p.mustVerify(outs[2].String() + outs[0].String() + outs[1].String())
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != 2*len(want) || len(want) == 0 {
		t.Errorf("%d entries of %d effects", len(got), len(want))
	}
	for _, e := range got {
		if name, _, _ := strings.Cut(e, ":"); !want[name] {
			t.Errorf("%s is in the log, and was refused or is unknown", e)
		}
	}
}
