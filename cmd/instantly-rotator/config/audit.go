package config

import (
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// Audit says what the audit expects of the workspaces, and what somebody answers for.
type Audit struct {
	// Every is how often the daemon makes one; 0: never.
	Every time.Duration
	// MaxAdmins is how many owners and admins a workspace may have.
	MaxAdmins int
	// BlockList are the addresses and domains that are wanted on the block list.
	BlockList []string
	// Accept are the findings that somebody answers for.
	Accept []Acceptance
}

// Acceptance is somebody's word that findings are as they should be, for a while.
type Acceptance struct {
	// Check is the id of a check.
	Check string
	// Subject is what the finding is about, as the audit names it; "*" is all of them.
	Subject string
	Reason  string
	// Until is when it ends: the end of the day that was written, in UTC.
	Until time.Time
}

// auditForm is the section audit.
type auditForm struct {
	mark
	Every     duration         `json:"every"`
	MaxAdmins integer          `json:"max_admins"`
	BlockList list[text]       `json:"block_list"`
	Accept    list[acceptForm] `json:"accept"`
}

// acceptForm is one entry of audit.accept.
type acceptForm struct {
	mark
	Check   text `json:"check"`
	Subject text `json:"subject"`
	Reason  text `json:"reason"`
	Until   date `json:"until"`
}

// A date is a day of the calendar, with quotes or without.
type date struct{ value[time.Time] }

const datePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`

func (t *date) parse(n *yaml.Node) (err error) {
	if n.Kind == yaml.ScalarNode {
		t.v, err = time.Parse(time.DateOnly, n.Value)
	}
	if n.Kind != yaml.ScalarNode || err != nil {
		return &hinted{"want a day", "write for example 2027-03-31"}
	}
	t.ok = true
	return nil
}

// JSONSchema implements an interface of package jsonschema.
func (date) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: datePattern}
}

func (auditForm) section() string  { return "audit" }
func (acceptForm) section() string { return "audit.accept[]" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f auditForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f acceptForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

func auditOptions() []Option {
	const in, accept = "audit", "audit.accept[]"
	return []Option{
		{
			In: in, Name: "every", Default: "24h",
			Doc: "How often the daemon makes an audit, which reads and changes nothing, and tells what is new. 0s: never.",
		},
		{
			In: in, Name: "max_admins", Default: "2", Min: 1, Max: 1000, Want: "want 1 to 1000",
			Doc: "How many owners and admins a workspace may have: as few as can stand in for each other.",
		},
		{
			In: in, Name: "block_list",
			Doc:      "The domains and addresses that have to be on every workspace's block list.",
			Examples: []string{"customer.example.com"},
		},
		{In: in, Name: "accept", Doc: "Findings that somebody answers for: shown as accepted until they end."},
		{
			In: accept, Name: "check", Required: true, Pattern: `^[A-Z]{2,6}-[0-9]{2}$`, Want: "want the id of a check, such as KEY-02",
			Doc: "The id of the check, as the audit prints it.", Examples: []string{"KEY-02"},
		},
		{
			In: accept, Name: "subject", Required: true,
			Doc:      `What the finding is about, as the audit prints it; "*" is all that the check finds.`,
			Examples: []string{"key zapier", "target sending", "workspace main"},
		},
		{In: accept, Name: "reason", Required: true, Doc: "Why that is as it should be, for whoever reads the report."},
		{
			In: accept, Name: "until", Required: true,
			Doc: "The last day on which it is accepted, in UTC. After it the finding is back.", Examples: []string{"2027-03-31"},
		},
	}
}

func (c *checker) audit(f *auditForm) Audit {
	a := Audit{Every: f.Every.v, MaxAdmins: f.MaxAdmins.v, BlockList: c.addresses(&f.BlockList)}
	if f.Every.ok && a.Every > 0 && a.Every < leastAudit {
		c.fail(f.Every.mark, "want at least 1s, or 0s for never", "%s is out of range", formatDuration(a.Every))
	}
	for i := range f.Accept.Items {
		a.Accept = append(a.Accept, c.acceptance(&f.Accept.Items[i]))
	}
	return a
}

// leastAudit is how often an audit may be made: it reads every value.
const leastAudit = time.Second

// addresses gives a list in lower case: mail addresses and domains have no case.
func (c *checker) addresses(l *list[text]) []string {
	var out []string
	for _, t := range l.Items {
		if t.ok && strings.TrimSpace(t.v) == "" {
			c.fail(t.mark, "take the line out", "is blank")
		}
		out = append(out, strings.ToLower(strings.TrimSpace(t.v)))
	}
	return out
}

func (c *checker) acceptance(f *acceptForm) Acceptance {
	a := Acceptance{Check: f.Check.v, Subject: f.Subject.v, Reason: strings.TrimSpace(f.Reason.v)}
	if f.Reason.ok && a.Reason == "" {
		c.fail(f.Reason.mark, "say why that is as it should be", "is blank")
	}
	if f.Until.ok {
		a.Until = f.Until.v.AddDate(0, 0, 1)
	}
	return a
}

// ScheduleGaps gives the shortest and the longest time between two ticks in a row, of as
// many as show a schedule's pattern.
func ScheduleGaps(s Schedule) (shortest, longest time.Duration) {
	g := gapsOf(s)
	return g.shortest, g.longest
}
