// Command instantly-rotator keeps Instantly API keys fresh: on a schedule it
// creates a new scoped key, writes it to the secret store, verifies it and
// revokes the old one, without a consumer ever holding a dead key.
//
// This package is the edge: commands, wiring, what people see. Texts, hints and
// exit codes are decided here and nowhere else; how keys are rotated is in
// package rotator.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

func main() { os.Exit(run()) }

// oneSignal is how long after an interrupt another one is taken for the same: timeout(1)
// signals the process, and then its group; Ctrl-C may come from a terminal and a shell.
const oneSignal = time.Second

// run gives the exit code. The first interrupt lets the step in hand finish, a
// second one ends the process at once.
func run() int {
	log.SetOutput(io.Discard) // net/http writes bytes of odd answers there, shoutrrr parts of URLs
	notify.LimitHTTP(http.DefaultClient)
	kubernetescluster.DiscardLogs()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(oneSignal, stop) })
	outliveReaders()
	a := &app{stdout: &output{file: os.Stdout}, stderr: os.Stderr, getenv: os.Getenv, now: time.Now}
	return a.run(ctx, os.Args[1:])
}
