package main

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// shard is one of several parts that the keys are split into, by a hash of their
// names: the same on every machine.
type shard struct{ index, of int }

// parseShard reads "I/N" with I from 0 to N-1, or "auto" for the pods of a
// Kubernetes Indexed Job: JOB_COMPLETION_INDEX is set by Kubernetes,
// JOB_COMPLETIONS by the manifest. Empty means all.
func parseShard(text string, getenv func(string) string) (shard, error) {
	if text == "" {
		return shard{0, 1}, nil
	}
	index, of, _ := strings.Cut(text, "/")
	bad := fmt.Errorf("--shard %q: want I/N, such as 0/4 for the first of four parts, or auto", text)
	if text == "auto" {
		index, of = getenv("JOB_COMPLETION_INDEX"), getenv("JOB_COMPLETIONS")
		bad = fmt.Errorf("--shard auto: want JOB_COMPLETION_INDEX, which Kubernetes sets in the pods of an Indexed Job, and JOB_COMPLETIONS, "+
			"which the manifest sets to the job's completions; found %q and %q", index, of)
	}
	i, errIndex := strconv.Atoi(index)
	n, errOf := strconv.Atoi(of)
	if errIndex != nil || errOf != nil || n < 1 || i < 0 || i >= n {
		return shard{}, usageError{bad}
	}
	return shard{i, n}, nil
}

// pick keeps the targets of the shard.
func (s shard) pick(ts []rotator.Target) []rotator.Target {
	return slices.DeleteFunc(ts, func(t rotator.Target) bool {
		h := fnv.New32a()
		_, _ = h.Write([]byte(t.Name)) // never fails
		return int(h.Sum32()%uint32(s.of)) != s.index
	})
}
