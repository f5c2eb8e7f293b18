// Package all lists the kinds of sinks that there are.
package all

import (
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/composio"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/githubsecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/httpsink"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/program"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink/sinkkind"
)

// Kinds lists them in the order in which people are shown them. A new kind needs its
// package and a line here.
func Kinds() []sinkkind.Kind {
	return []sinkkind.Kind{
		composio.Kind(),
		githubsecret.Kind(),
		httpsink.Kind(),
		program.Kind(),
	}
}
