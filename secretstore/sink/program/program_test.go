package program_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/childprocess"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/program"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinktest"
)

var value = secret.New("Zq8Lnew-key-0000-1111-wK4v")

// TestMain makes the test binary the program that is run, if it is called with a part to play.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, ok := parts()[os.Args[1]]; ok {
			play(os.Args[2:])
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func parts() map[string]func([]string) {
	return map[string]func([]string){
		"put":   func(args []string) { playPut(args[0]) },
		"holds": func(args []string) { playHolds(args[0]) },
		"says":  func(args []string) { fmt.Fprint(os.Stderr, args[1]); code, _ := strconv.Atoi(args[0]); os.Exit(code) },
		"echo": func([]string) {
			read, _ := io.ReadAll(os.Stdin)
			fmt.Fprintf(os.Stderr, "bad key %s", string(read[3:12]))
			os.Exit(1)
		},
		"parent": func(args []string) {
			child := exec.Command(os.Args[0], "child", args[0])
			if err := child.Start(); err != nil {
				os.Exit(3)
			}
			time.Sleep(time.Hour)
		},
		"leaves": func(args []string) {
			child := exec.Command(os.Args[0], "lives", args[0])
			child.Stderr = os.Stderr
			if err := child.Start(); err != nil {
				os.Exit(3)
			}
		},
		"lives": func(args []string) { time.Sleep(2 * childprocess.End); write(args[0], "it ended by itself") },
		"child": func(args []string) { write(args[0], strconv.Itoa(os.Getpid())); time.Sleep(time.Hour) },
		"where": func(args []string) {
			read, _ := io.ReadAll(os.Stdin)
			write(args[0], fmt.Sprintf("%s|%s|%s", read, strings.Join(os.Args, " "), strings.Join(os.Environ(), " ")))
		},
		"prints": func(args []string) { fmt.Print(args[0]) },
	}
}

func write(path, text string) {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		os.Exit(3)
	}
	if err := os.Rename(path+".new", path); err != nil {
		os.Exit(3)
	}
}

func read(path string) string { data, _ := os.ReadFile(path); return string(data) }

// playPut puts a value into a folder, with the mark after it, and is spoiled as the
// folder's file says: "fault" of run number "in".
func playPut(folder string) {
	got, _ := io.ReadAll(os.Stdin)
	in, _ := strconv.Atoi(read(filepath.Join(folder, "in")))
	fault := sinktest.Fault("")
	if in > 0 {
		write(filepath.Join(folder, "in"), strconv.Itoa(in-1))
		if in == 1 {
			fault = sinktest.Fault(read(filepath.Join(folder, "fault")))
			write(filepath.Join(folder, "hit"), "yes")
		}
	}
	effect := func() {
		_ = os.Remove(filepath.Join(folder, "mark"))
		write(filepath.Join(folder, "value"), string(got))
		write(filepath.Join(folder, "mark"), os.Getenv("INSTANTLY_ROTATOR_KEY_ID")+" "+string(got))
	}
	switch fault {
	case sinktest.Hangs:
		time.Sleep(time.Hour)
	case sinktest.Denied:
		fmt.Fprintf(os.Stderr, "no right with %s", got)
		os.Exit(77)
	case "":
		effect()
	default:
		if fault == sinktest.Lost {
			effect()
		}
		fmt.Fprintf(os.Stderr, "failed with %s", got)
		os.Exit(1)
	}
}

// playHolds prints the mark, if the value is still the one that it is of.
func playHolds(folder string) {
	id, of, _ := strings.Cut(read(filepath.Join(folder, "mark")), " ")
	if of == read(filepath.Join(folder, "value")) {
		fmt.Println(id)
	}
}

func open(t *testing.T, s program.Settings, environ ...string) sink.Sink {
	t.Helper()
	if s.Timeout == "" {
		s.Timeout = "60s"
	}
	environ = append(environ, "GORACE=atexit_sleep_ms=0") // under -race a process sleeps for a second at its end
	opened, err := s.Open(t.Context(), nil, sinkkind.Opening{Section: "push", Place: "p1", Target: "sending", Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func TestProgramKeepsTheContractOfSinks(t *testing.T) {
	for _, tells := range []bool{true, false} {
		sinktest.Run(t, func(t *testing.T) *sinktest.Place {
			folder := t.TempDir()
			s := program.Settings{Command: []string{os.Args[0], "put", folder}}
			if tells {
				s.Holds = []string{os.Args[0], "holds", folder}
			}
			return &sinktest.Place{
				Open: func(t *testing.T) sink.Sink { return open(t, s) },
				Has:  func() secret.Value { return secret.New(read(filepath.Join(folder, "value"))) },
				Spoil: func(n int, f sinktest.Fault) func() bool {
					switch f {
					case sinktest.Unreached, sinktest.Lost, sinktest.Broken, sinktest.Hangs, sinktest.Denied:
					default:
						return nil
					}
					_ = os.Remove(filepath.Join(folder, "hit"))
					write(filepath.Join(folder, "fault"), string(f))
					write(filepath.Join(folder, "in"), strconv.Itoa(n))
					return func() bool {
						write(filepath.Join(folder, "in"), "0")
						return read(filepath.Join(folder, "hit")) == "yes"
					}
				},
				ByHand: func(v secret.Value) { write(filepath.Join(folder, "value"), v.Reveal()) },
			}
		})
	}
}

func TestKeyIsOnStandardInputAndNowhereElse(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	s := open(t, program.Settings{Command: []string{os.Args[0], "where", told}}, "PATH=/bin")
	if err := s.Put(t.Context(), "k1", value); err != nil {
		t.Fatal(err)
	}
	input, rest, _ := strings.Cut(read(told), "|")
	if input != value.Reveal() || value.IsIn(rest) {
		t.Errorf("input %d bytes; besides: %s", len(input), rest)
	}
	for _, want := range []string{"INSTANTLY_ROTATOR_TARGET=sending", "INSTANTLY_ROTATOR_PLACE=p1", "INSTANTLY_ROTATOR_KEY_ID=k1", "PATH=/bin"} {
		if !strings.Contains(rest, want) {
			t.Errorf("%s is not in %s", want, rest)
		}
	}
	if strings.Contains(rest, "HOME=") {
		t.Error("it has the environment of the process")
	}
}

func TestExitCodeSaysHowItWent(t *testing.T) {
	for code, want := range map[string]error{
		"75": sink.ErrNotYet, "77": secretstore.ErrDenied, "78": secretstore.ErrUnfit, "1": secretstore.ErrUnavailable, "69": secretstore.ErrUnavailable,
	} {
		err := open(t, program.Settings{Command: []string{os.Args[0], "says", code, "first\nthe\x1b[31m vault is sealed"}}).Put(t.Context(), "k1", value)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "the [31m vault is sealed") {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := open(t, program.Settings{Command: []string{"no-such-program-here"}}).Put(t.Context(), "k1", value); !errors.Is(err, secretstore.ErrNotFound) {
		t.Errorf("no program: %v", err)
	}
	if err := open(t, program.Settings{Command: []string{"/no/such/program"}}).Put(t.Context(), "k1", value); !errors.Is(err, secretstore.ErrUnavailable) {
		t.Errorf("no program: %v", err)
	}
}

func TestPartOfAKeyThatAProgramSaysIsNotShown(t *testing.T) {
	err := open(t, program.Settings{Command: []string{os.Args[0], "echo"}}).Put(t.Context(), "k1", value)
	if err == nil || strings.Contains(err.Error(), value.Reveal()[3:12]) || !strings.Contains(err.Error(), "not shown") {
		t.Errorf("got %v", err)
	}
}

func TestProgramIsEndedWithAllThatItStarted(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- open(t, program.Settings{Command: []string{os.Args[0], "parent", pid}}).Put(ctx, "k1", value)
	}()
	for read(pid) == "" {
		select {
		case err := <-ended:
			t.Fatalf("it ended by itself: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !errors.Is(err, secretstore.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) { // it was told, and ends
		state := read("/proc/" + read(pid) + "/stat")
		if state == "" || strings.Contains(state, ") Z") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("what it started lives on: %s", state)
		}
	}
}

// A program may start what goes on after it, such as a restart of what uses the key, and which
// has its output open. That it ended well counts.
func TestProgramMayLeaveAnotherBehind(t *testing.T) {
	t.Parallel() // it takes a while
	left := filepath.Join(t.TempDir(), "left")
	if err := open(t, program.Settings{Command: []string{os.Args[0], "leaves", left}}).Put(t.Context(), "k1", value); err != nil {
		t.Errorf("got %v", err)
	}
	for deadline := time.Now().Add(4 * childprocess.End); read(left) == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what it left behind was ended")
		}
	}
}

// A program that tells which key is there may know the key itself: nobody can compare.
func TestNothingIsShownThatWhatTellsSays(t *testing.T) {
	asked := open(t, program.Settings{Command: []string{"true"}, Holds: []string{os.Args[0], "says", "1", "cannot read " + value.Reveal()}})
	if _, err := asked.(sink.Holder).Holds(t.Context()); err == nil || strings.Contains(err.Error(), "cannot read") {
		t.Errorf("got %v", err)
	}
}

func TestWhatTellsMustTellAnIDOnly(t *testing.T) {
	for printed, fine := range map[string]bool{"k1\n": true, "": true, "k1 and more": false, "two\nlines": false} {
		held, err := open(t, program.Settings{Command: []string{"true"}, Holds: []string{os.Args[0], "prints", printed}}).(sink.Holder).Holds(t.Context())
		if fine && (err != nil || held != strings.TrimSpace(printed)) || !fine && (!errors.Is(err, secretstore.ErrCorrupt) || held != "") {
			t.Errorf("%q: %q, %v", printed, held, err)
		}
	}
}
