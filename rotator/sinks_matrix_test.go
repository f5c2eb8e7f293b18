package rotator_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/rotator/rotatortest"
)

func TestTwoInstancesInterleavedWithSinks(t *testing.T) {
	rotatortest.Interleave(t, inMemory("memory", 1), rotatortest.Meetings{Sinks: true, OneOf: 3})
	rotatortest.Interleave(t, inMemory("memory", 2), rotatortest.Meetings{Sinks: true, OneOf: 11})
}

func TestEveryCallFailsWithSinks(t *testing.T) {
	for stores, name := range map[int]string{1: "memory", 2: "memory, 2 stores"} {
		t.Run(name, func(t *testing.T) { rotatortest.SinkMatrix(t, inMemory(name, stores)) })
	}
}
