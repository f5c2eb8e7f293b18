package awssecretsmanager

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// state is what DescribeSecret says of a secret, as far as it matters here. A
// version without labels is one that is not there: AWS may remove it at any
// time (user guide, "What's in a Secrets Manager secret?").
type state struct {
	// arn tells the secret from every other one: AWS puts six random characters
	// into it, so that a secret made anew under an old name has another.
	arn string
	// labels gives the version that bears a label: it is never more than one.
	labels map[string]string
	// tags are those that begin with "rotator/".
	tags map[string]string
	// created is when versions were put, as far as that was asked. It never
	// changes and is no part of the revision.
	created map[string]time.Time
	// vacant is the version that AWS made when it began a rotation, for whoever fills it; empty
	// if there is none. It has AWSPENDING and no value. No part of the revision either.
	vacant string
	// primary is the region of the secret that this one is a replica of; empty if it is
	// none. No part of the revision either.
	primary string
}

// writable fails for a replica, which AWS keeps like its primary.
func (st state) writable() error {
	if st.primary == "" {
		return nil
	}
	return fmt.Errorf("it is %s: %w", st.replica(), secretstore.ErrDenied)
}

func (st state) replica() string {
	return "a replica, which can only be read, of the secret in region " + st.primary + ": let the store have region: " + st.primary +
		", or the secret be named by its ARN there"
}

// absent is the state of a secret that is to be made on the first write.
func absent(name string) state { return state{arn: "absent:" + name} }

func (st state) isAbsent() bool { return strings.HasPrefix(st.arn, "absent:") }

// clone lets the copy's labels and tags be changed.
func (st state) clone() state {
	st.labels, st.tags, st.created = cloned(st.labels), cloned(st.tags), cloned(st.created)
	return st
}

// cloned is never nil.
func cloned[V any](m map[string]V) map[string]V {
	c := make(map[string]V, len(m))
	maps.Copy(c, m)
	return c
}

// revision changes with every label and every tag of ours, those that people
// set by hand included.
func (st state) revision() string {
	sum := sha256.New()
	for _, m := range []map[string]string{st.labels, st.tags} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(sum, "%q=%q\n", k, m[k])
		}
		fmt.Fprintln(sum, len(m))
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// same tells whether two states differ in nothing that matters to a write.
// ignored are labels whose coming and going does not.
func (st state) same(other state, ignored func(label string) bool) bool {
	if ignored == nil {
		return st.arn == other.arn && st.revision() == other.revision()
	}
	a, b := st.clone(), other.clone()
	for _, labels := range []map[string]string{a.labels, b.labels} {
		maps.DeleteFunc(labels, func(label, _ string) bool { return ignored(label) })
	}
	return a.arn == b.arn && a.revision() == b.revision()
}

// labelsOn lists the labels of a version, sorted.
func (st state) labelsOn(version string) []string {
	var labels []string
	for label, v := range st.labels {
		if v == version {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	return labels
}

// marks lists all marks of ours, wherever they are, in a stable order.
func (st state) marks() []mark {
	var all []mark
	for label, version := range st.labels {
		if m, ok := parseMark(label, version); ok {
			all = append(all, m)
		}
	}
	for key, value := range st.tags {
		if m, ok := parseMark(key+"/"+value, ""); ok && key != tagOwner {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b mark) int { return strings.Compare(a.text, b.text) })
	return all
}
