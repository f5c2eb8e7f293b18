package page

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/daemon"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/status"
)

// Source is what the pages are drawn from, at the time at which they are.
type Source struct {
	Now func() time.Time
	// Report is the picture of the targets, with commands that are complete.
	Report func() status.Report
	// Pasted completes the commands in a text.
	Pasted func(text string) string
	// Process tells of the daemon, and Policies of what is configured, by target.
	Process  func() Process
	Policies func() []Policy
	// Audit gives the last one; nil: none was made.
	Audit func() *audit.Report
	// Trail is the record of what was done; its zero value: there is none.
	Trail func() Trail
	// Gate asks for the token that a person signs in with, or for none.
	Gate *daemon.Gate
}

// Process is how the daemon is.
type Process struct {
	Version, Instance string
	// Leads: it keeps the targets fresh; Standing: another instance does; Unasked: whether
	// one does cannot be asked.
	Leads, Standing, Unasked bool
	// Hung says why the process does not work; empty if it does.
	Hung string
	// Resync is how often every target is read.
	Resync time.Duration
	// Reloaded is when the configuration in force was read; Refused says what was wrong
	// with the one that was read last, since RefusedAt.
	Reloaded, RefusedAt time.Time
	Refused             string
	// Workspaces in which nothing is begun, because calls to it fail.
	CircuitOpen map[string]bool
}

// stale is the age from which what was looked at says nothing any more.
func (p Process) stale() time.Duration { return 2*p.Resync + time.Minute }

// Policy is how a target's key is to be kept.
type Policy struct {
	Target, Workspace string
	// Scopes of the key; nil for a secret that has none. Risk is what they grade as, and
	// Reason why critical ones are wanted.
	Scopes       []string
	Risk, Reason string
	Schedule     string
	MaxAge       time.Duration
	Grace        time.Duration
	// Places that get the key: the stores, the primary first, then the sinks.
	Places []Place
}

// Place is where a key is kept, or sent. Sink is what the picture calls it, if it is one.
type Place struct{ Name, Secret, Sink string }

// Trail is where the record of what was done is.
type Trail struct {
	// Dir has a log for each machine; empty if there is none that can be read here.
	Dir string
	// Missing says why there is none.
	Missing string
}
