package filestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// childVariable makes this test binary, run by itself, one of the children
// below instead of the tests.
const childVariable = "FILESTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	var run func(*filestore.Store) error
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "rotate":
		run = rotateForever
	case "count":
		run = countTo100
	}
	s, err := filestore.Open(filestore.Options{Dir: os.Getenv("FILESTORE_TEST_DIR"), Identity: os.Getenv("FILESTORE_TEST_IDENTITY")})
	if err == nil {
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// rotateForever promotes one version after the other and says so before and
// after each: "try <id>", "done <id>".
func rotateForever(s *filestore.Store) error {
	ctx := context.Background()
	for {
		seen, err := s.Describe(ctx)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("key-%d", rand.Int64())
		fmt.Println("try", id)
		if seen, err = s.Stage(ctx, seen, secretstore.Version{ID: id}, valueOf(id)); err != nil {
			return err
		}
		if seen, err = s.Promote(ctx, seen, id, time.Now()); err != nil {
			return err
		}
		fmt.Println("done", id)
		if _, err = s.Destroy(ctx, seen, seen.Versions[secretstore.Previous].ID); err != nil {
			return err
		}
	}
}

func valueOf(id string) secret.Value { return secret.New("value of " + id) }

// child is this test binary in another role.
func child(t *testing.T, role string, o filestore.Options) (*exec.Cmd, io.Reader, *strings.Builder) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+role, "FILESTORE_TEST_DIR="+o.Dir, "FILESTORE_TEST_IDENTITY="+o.Identity)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stdout, &stderr
}

// TestStoreIsWholeAfterEverySIGKILL kills a process that writes, at random
// instants, and wants the current version to be the last that it said was done
// or the one that it was trying.
func TestStoreIsWholeAfterEverySIGKILL(t *testing.T) {
	const kills = 100
	o := options(t)
	s := open(t, o)
	done := ""
	midWrite := 0
	for range kills {
		lastDone, trying := killOne(t, o)
		if lastDone != "" {
			done = lastDone
		}
		if trying != "" {
			midWrite++
		}
		done = wantOneOf(t, s, done, trying)
	}
	t.Logf("%d processes killed, %d of them between two answers", kills, midWrite)
	if midWrite == 0 {
		t.Error("no kill hit a write")
	}
	wantNoLeftovers(t, o)
}

// killOne starts a writer, kills it some moments after a random number of its
// answers, and gives the last version that it finished and the one that it may
// have finished; either may be "".
func killOne(t *testing.T, o filestore.Options) (done, trying string) {
	t.Helper()
	cmd, stdout, stderr := child(t, "rotate", o)
	lines := bufio.NewScanner(stdout)
	fatal := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer fatal.Stop()
	for left := 1 + rand.IntN(4); lines.Scan(); left-- {
		if left == 0 {
			moment := time.Duration(rand.Int64N(int64(5 * time.Millisecond)))
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		}
		switch word, id, _ := strings.Cut(lines.Text(), " "); word {
		case "try":
			trying = id
		case "done":
			done, trying = id, ""
		}
	}
	_ = cmd.Wait() // It was killed.
	if stderr.Len() > 0 {
		t.Fatalf("the writer failed by itself: %s", stderr)
	}
	return done, trying
}

// wantOneOf gives the current version, which must be one of the two and have
// its value.
func wantOneOf(t *testing.T, s *filestore.Store, done, trying string) string {
	t.Helper()
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatalf("describe after a kill: %v", err)
	}
	current := snap.Versions[secretstore.Current].ID
	if current != done && current != trying {
		t.Fatalf("current is %q, want %q or %q", current, done, trying)
	}
	for _, v := range snap.Versions {
		if value, err := s.Read(t.Context(), v.ID); err != nil || !value.Equal(valueOf(v.ID)) {
			t.Fatalf("read %s after a kill: error %v, or another value", v.ID, err)
		}
	}
	return current
}

// wantNoLeftovers writes once more, which is when leftovers of crashes go.
func wantNoLeftovers(t *testing.T, o filestore.Options) {
	t.Helper()
	s := open(t, o)
	seen, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Annotate(t.Context(), seen, secretstore.Notes{}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("in the folder are %v, want the state and the lock", entries)
	}
}

// countTo100 adds one to the failure count until it is 100 or more, and says
// which revision each of its wins was on: "won <revision>".
func countTo100(s *filestore.Store) error {
	ctx := context.Background()
	for {
		seen, err := s.Describe(ctx)
		if err != nil {
			return err
		}
		next := seen.Notes
		if next.Failure.Count++; next.Failure.Count > 100 {
			return nil
		}
		switch _, err := s.Annotate(ctx, seen, next); {
		case err == nil:
			fmt.Println("won", seen.Revision)
		case !errors.Is(err, secretstore.ErrConflict):
			return err
		}
	}
}

func TestTwoProcessesWritingAtOnceLoseNothing(t *testing.T) {
	o := options(t)
	s := open(t, o)
	var out [2]string
	var both sync.WaitGroup
	for i := range out {
		cmd, stdout, stderr := child(t, "count", o)
		both.Go(func() {
			text, _ := io.ReadAll(stdout)
			if err := cmd.Wait(); err != nil {
				t.Errorf("a writer failed: %v: %s", err, stderr)
			}
			out[i] = string(text)
		})
	}
	both.Wait()
	winners := map[string]int{}
	for _, line := range strings.Fields(strings.ReplaceAll(out[0]+out[1], "won ", "")) {
		winners[line]++
	}
	for revision, n := range winners {
		if n != 1 {
			t.Errorf("%d writers won on revision %s", n, revision)
		}
	}
	snap, err := s.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(winners) != 100 || snap.Notes.Failure.Count != 100 {
		t.Errorf("%d wins counted to %d, want 100 and 100", len(winners), snap.Notes.Failure.Count)
	}
	t.Logf("the writers won %d and %d times", strings.Count(out[0], "won"), strings.Count(out[1], "won"))
}
