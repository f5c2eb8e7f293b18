package config

import (
	"time"

	"github.com/invopop/jsonschema"
)

// AuditLogGate keeps an old key alive while the workspace's audit log shows it acting.
type AuditLogGate struct {
	// Quiet is how long the old key must not have acted; more than 0, at most the
	// target's grace period.
	Quiet time.Duration
	// PassUnknown lets the old key go where the log cannot be had.
	PassUnknown bool
}

// auditLogForm is audit_log of an entry of after_promote.
type auditLogForm struct {
	mark
	Quiet   duration `json:"quiet"`
	Unknown text     `json:"unknown"`
}

func (auditLogForm) section() string { return "defaults.after_promote[].audit_log" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f auditLogForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// passUnknown is the word that lets an old key go of which nothing is known.
const passUnknown = "pass"

func auditLogOptions() []Option {
	in := auditLogForm{}.section()
	return []Option{
		{
			In: "defaults.after_promote[]", Name: "audit_log",
			Doc: "Keep the old key while the workspace's audit log shows it acting. The log has changes, no reads: it is " +
				"evidence of use, not of disuse. The admin key needs the scope audit_logs:read.",
		},
		{
			In: in, Name: "quiet", Default: "2h",
			Doc:      "How long the old key must not have acted, since the promotion; at most the grace period.",
			Examples: []string{"2h", "1d"},
		},
		{
			In: in, Name: "unknown", Default: "wait", Pattern: "^(wait|" + passUnknown + ")$", Want: "want wait or pass",
			Doc: "What to do where the plan has no audit log or it may not be read: wait, or pass, so that grace alone counts.",
		},
	}
}

func (c *checker) auditLog(f *auditLogForm) *AuditLogGate {
	if !f.written() {
		return nil
	}
	return &AuditLogGate{Quiet: c.positive(f.Quiet), PassUnknown: f.Unknown.v == passUnknown}
}

// quietWithinGrace reports an old key that is to be quiet for longer than it is to live.
func (c *checker) quietWithinGrace(f *rotationForm) {
	for i := range f.AfterPromote.Items {
		quiet := &f.AfterPromote.Items[i].AuditLog.Quiet
		if !f.AfterPromote.Items[i].AuditLog.written() || !quiet.ok || !f.GracePeriod.ok || quiet.v <= f.GracePeriod.v {
			continue
		}
		c.fail(closest(quiet.mark, f.GracePeriod.mark), "want at most "+formatDuration(f.GracePeriod.v)+", or a longer grace_period",
			"%s is longer than the grace period of %s, after which the old key is to go", formatDuration(quiet.v), formatDuration(f.GracePeriod.v))
	}
}
