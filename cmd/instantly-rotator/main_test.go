package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// TestMain makes this test binary, run under the name of a command, that
// command: "instantly-rotator" in the tests' PATH is the real main, in a process
// of its own.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		// By default the race detector keeps every process for a second at its end.
		_ = os.Setenv("GORACE", "atexit_sleep_ms=10")
	}
	testscript.Main(waiting{m}, map[string]func(){
		"instantly-rotator": main,
		"panicker":          panicker,
	})
}

// waiting runs more tests at once than -parallel has by default: they mostly
// wait, for processes, disks and grace periods.
type waiting struct{ *testing.M }

// Run runs the tests.
func (m waiting) Run() int {
	const atOnce = 6
	flag.Parse()
	text.DisableColors() // app.run decides it for the binary; no test of a part does
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set(strconv.Itoa(atOnce))
	}
	return m.M.Run()
}

// panicker reads a secret from the environment and panics with it in every
// place where a crash report may look: arguments, locals, structs, other
// goroutines' stacks and the panic's own value. Its argument says how.
func panicker() {
	value := secret.New(os.Getenv("CANARY"))
	_ = os.Unsetenv("CANARY")
	go holdOn(value, carrier{Name: "waiting", value: value})
	panicHolding(os.Args[1], value, carrier{Name: "falling", value: value})
}

// carrier holds a secret as the program's own structs do.
type carrier struct {
	Name  string
	value secret.Value
}

// Error makes a carrier something that panic prints with its own words.
func (c carrier) Error() string {
	return fmt.Sprintf("%s %v %+v", c.Name, c.value, struct{ v any }{c.value})
}

//go:noinline
func holdOn(value secret.Value, c carrier) {
	<-make(chan struct{})
	fmt.Fprintln(os.Stderr, value, c)
}

//go:noinline
func panicHolding(how string, value secret.Value, c carrier) {
	switch how {
	case "value":
		panic(value)
	case "struct":
		panic(c)
	case "pointer":
		panic(&c)
	case "wrapped":
		panic(fmt.Errorf("while holding %v and %+v: %w", value, c, c))
	case "nil":
		var nobody *carrier
		fmt.Fprintln(os.Stderr, nobody.value, value)
	case "plain": // what the tests must notice
		panic(value.Reveal())
	}
}
