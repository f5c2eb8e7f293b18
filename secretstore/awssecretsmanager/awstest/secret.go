package awstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// secretEntry is one secret.
type secretEntry struct {
	name, arn   string
	description string
	kmsKeyID    string
	created     time.Time
	changed     time.Time
	deleted     time.Time // when it was scheduled for deletion; zero if it is not
	tags        []wireTag
	tagged      bool // it had tags once: Tags is [] then, and left out before
	versions    []*version
}

// version is one stored value.
type version struct {
	id      string
	text    *string
	binary  []byte
	created time.Time
	labels  []string
}

type wireTag struct{ Key, Value string }

const (
	labelCurrent  = "AWSCURRENT"
	labelPending  = "AWSPENDING"
	labelPrevious = "AWSPREVIOUS"
)

// find searches by name, by ARN, or by an ARN without the six characters at its
// end; the caller holds the lock.
func (s *Server) find(id string) *secretEntry {
	for _, e := range s.secrets {
		if id == e.name || id == e.arn || strings.HasPrefix(id, "arn:") && id == e.arn[:len(e.arn)-7] {
			return e
		}
	}
	return nil
}

func (e *secretEntry) version(id string) *version {
	at := slices.IndexFunc(e.versions, func(v *version) bool { return v.id == id })
	if at < 0 {
		return nil
	}
	return e.versions[at]
}

// bearer gives the version that has a label.
func (e *secretEntry) bearer(label string) *version {
	at := slices.IndexFunc(e.versions, func(v *version) bool { return slices.Contains(v.labels, label) })
	if at < 0 {
		return nil
	}
	return e.versions[at]
}

// stages lists the labels of those versions that have any.
func (e *secretEntry) stages() map[string][]string {
	stages := map[string][]string{}
	for _, v := range e.versions {
		if len(v.labels) > 0 {
			stages[v.id] = v.sorted()
		}
	}
	return stages
}

func (v *version) sorted() []string { return slices.Sorted(slices.Values(v.labels)) }

// give attaches a label, and takes it from the version that has it. AWSPREVIOUS
// goes to the version that loses AWSCURRENT.
func (e *secretEntry) give(label string, to *version) {
	from := e.bearer(label)
	if from == to {
		return
	}
	if from != nil {
		from.drop(label)
	}
	to.labels = append(to.labels, label)
	if label != labelCurrent {
		return
	}
	if from != nil {
		e.give(labelPrevious, from)
	} else if before := e.bearer(labelPrevious); before == to {
		before.drop(labelPrevious)
	}
}

func (v *version) drop(label string) {
	v.labels = slices.DeleteFunc(v.labels, func(l string) bool { return l == label })
}

// checkLabels refuses what would be too many labels, or too long ones.
func (e *secretEntry) checkLabels(more []string) *refusal {
	all := map[string]bool{}
	for _, v := range e.versions {
		for _, l := range v.labels {
			all[l] = true
		}
	}
	for _, l := range more {
		if n := len([]rune(l)); n < 1 || n > 256 {
			return invalid("ValidationException", "a staging label has 1 to 256 characters, not %d", n)
		}
		all[l] = true
	}
	if len(all) > 20 {
		return invalid("LimitExceededException", "a secret has at most 20 staging labels, not %d", len(all))
	}
	return nil
}

// put stores a value as PutSecretValue and UpdateSecret do.
func (e *secretEntry) put(v *version, labels []string) (*version, *refusal) {
	held := e.version(v.id)
	if held != nil && held.empty() {
		v.labels = held.labels
	} else if held != nil {
		if held.same(v) {
			return held, nil
		}
		return nil, invalid("ResourceExistsException", "The version %s exists already with another value.", v.id)
	}
	if len(labels) == 0 {
		labels = []string{labelCurrent}
	}
	if e.bearer(labelCurrent) == nil && !slices.Contains(labels, labelCurrent) {
		labels = append(slices.Clone(labels), labelCurrent)
	}
	if len(labels) > 20 {
		return nil, invalid("ValidationException", "at most 20 version stages")
	}
	if r := e.checkLabels(labels); r != nil {
		return nil, r
	}
	displaced := e.bearer(labelCurrent)
	if held != nil {
		*held, v = *v, held
	} else {
		e.versions = append(e.versions, v)
	}
	for _, l := range labels {
		e.give(l, v)
	}
	if displaced != nil && e.bearer(labelCurrent) == v {
		displaced.drop(labelPending) // so recorded; UpdateSecretVersionStage leaves it
	}
	e.changed = v.created
	return v, nil
}

func (v *version) size() int {
	if v.text != nil {
		return len(*v.text)
	}
	return len(v.binary)
}

func (v *version) same(w *version) bool {
	if (v.text == nil) != (w.text == nil) {
		return false
	}
	if v.text != nil {
		return *v.text == *w.text
	}
	return string(v.binary) == string(w.binary)
}

// move is UpdateSecretVersionStage.
func (e *secretEntry) move(label, from, to string) *refusal {
	bearer := e.bearer(label)
	for _, id := range []string{from, to} {
		if id != "" && e.version(id) == nil {
			return invalid("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
		}
	}
	switch {
	case from == "" && to == "":
		return invalid("InvalidParameterException", "You must provide RemoveFromVersionId, MoveToVersionId, or both.")
	case from == "" && bearer != nil && bearer.id != to:
		return invalid("InvalidParameterException",
			"The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.",
			label, bearer.id)
	case from != "" && (bearer == nil || bearer.id != from):
		return invalid("InvalidParameterException",
			"When you move staging label %s, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label %s.",
			label, label)
	case label == labelCurrent && to == "":
		return invalid("InvalidParameterException", "You can only move staging label %s to a different secret version.", label)
	}
	if to == "" {
		bearer.drop(label)
		return nil
	}
	if r := e.checkLabels([]string{label}); r != nil {
		return r
	}
	e.give(label, e.version(to))
	return nil
}

// setTags is TagResource.
func (e *secretEntry) setTags(tags []wireTag) *refusal {
	all := map[string]string{}
	for _, t := range e.tags {
		all[t.Key] = t.Value
	}
	for _, t := range tags {
		if r := checkTag(t); r != nil {
			return r
		}
		all[t.Key] = t.Value
	}
	if len(all) > 50 {
		return invalid("LimitExceededException", "a secret has at most 50 tags")
	}
	e.tags, e.tagged = nil, true
	for _, key := range slices.Sorted(maps.Keys(all)) {
		e.tags = append(e.tags, wireTag{key, all[key]})
	}
	return nil
}

// tagMarks are what a tag may have beside letters and digits.
const tagMarks = " _.:/=+-@"

func checkTag(t wireTag) *refusal {
	switch {
	case t.Key == "" || len([]rune(t.Key)) > 128 || len([]rune(t.Value)) > 256:
		return invalid("InvalidParameterException", "a tag's key has 1 to 128 characters, its value at most 256")
	case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
		return invalid("InvalidParameterException", "a tag's key must not begin with aws:")
	case !isMadeOf(t.Key, tagMarks) || !isMadeOf(t.Value, tagMarks):
		return invalid("InvalidParameterException", "a tag has letters, digits, spaces and _.:/=+-@ only")
	default:
		return nil
	}
}

// isMadeOf tells whether there are only letters, digits and others in s.
func isMadeOf(s, others string) bool {
	for _, r := range s {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r)
		if !ok {
			return false
		}
	}
	return true
}

// refusal is an error answer of the service.
type refusal struct {
	status        int
	code, message string
}

// Error implements error.
func (r *refusal) Error() string { return r.code + ": " + r.message }

func invalid(code, format string, args ...any) *refusal {
	return &refusal{400, code, fmt.Sprintf(format, args...)}
}

func notFound(what string) *refusal {
	return invalid("ResourceNotFoundException", "Secrets Manager can't find the specified secret%s", what)
}
