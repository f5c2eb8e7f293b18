package gcpsecretmanager_test

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

const (
	due       = rotatortest.Interval + rotatortest.Late
	graceOver = rotatortest.Grace + rotatortest.Late
)

// world is Instantly and GCP.
type world struct {
	*rotatortest.World
	server *gcptest.Server
}

func newWorld(t testing.TB) *world {
	server := newServer(t)
	return &world{rotatortest.NewWorld(t, forEngine(server)), server}
}

func onGCP() rotatortest.Backend {
	return rotatortest.Backend{Name: "gcp", Fresh: func(t testing.TB) rotatortest.Secret {
		return forEngine(newServer(t))
	}}
}

// forEngine leads the engine's tests to the server's secret.
func forEngine(server *gcptest.Server) rotatortest.Secret {
	return rotatortest.Secret{
		Open: func(t testing.TB, hook rotatortest.Hook) secretstore.Store {
			return openTapped(t, server, func(method string, after bool) error {
				when := rotatortest.Before
				if after {
					when = rotatortest.After
				}
				if hook(method, when) != nil {
					return status.Error(codes.Unavailable, "fault")
				}
				return nil
			})
		},
		Current: func() string { return server.Served(id, "current") },
		Latest:  func() string { return server.Served(id, "latest") },
		Settled: func(t testing.TB) error { return leftOver(t, server) },
	}
}

// leftOver finds a version that still holds an old key. What a crash left over,
// the next write destroys.
func leftOver(t testing.TB, server *gcptest.Server) error {
	must(t, openTapped(t, server, untapped), annotating("any write"))
	current := server.Served(id, "latest")
	for _, v := range server.Versions(id) {
		if v.Value != "" && v.Value != current {
			return fmt.Errorf("version %d still holds an old key", v.Number)
		}
	}
	return nil
}

func TestEveryCallFails(t *testing.T) { rotatortest.Matrix(t, onGCP()) }

func TestEveryCallFailsWithSinks(t *testing.T) {
	if testing.Short() {
		t.Skip("the same matrix runs on stores in memory")
	}
	rotatortest.SinkMatrix(t, onGCP())
}

func TestPairsOfCallsFail(t *testing.T) {
	draws := 2000
	if testing.Short() {
		draws = 150
	}
	rotatortest.Pairs(t, onGCP(), draws)
}

func TestTwoInstancesInterleaved(t *testing.T) {
	oneOf := 2
	if testing.Short() {
		oneOf = 31
	}
	rotatortest.Interleave(t, onGCP(), rotatortest.Meetings{OneOf: oneOf})
}
