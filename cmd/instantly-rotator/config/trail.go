package config

import "github.com/invopop/jsonschema"

// Trail is where and how it is recorded what is done.
type Trail struct {
	// Dir holds a folder for each machine; absolute.
	Dir string
	// Name of the log in it; empty: the machine's.
	Name string
	// Warn: what cannot be recorded is done all the same.
	Warn bool
	// Copy: each line is written to standard output, or standard error, too.
	Copy bool
}

// trailForm is the section trail.
type trailForm struct {
	mark
	Dir       text `json:"dir"`
	Name      text `json:"name"`
	OnFailure text `json:"on_failure"`
	Copy      flag `json:"copy"`
}

func (trailForm) section() string { return "trail" }

// JSONSchemaExtend implements an interface of package jsonschema.
func (f trailForm) JSONSchemaExtend(s *jsonschema.Schema) { describe(s, f.section()) }

func trailOptions() []Option {
	const in = "trail"
	return []Option{
		{
			In: in, Name: "dir", Examples: []string{"/var/lib/instantly-rotator/trail"},
			Doc: "A folder on a disk that stays. Each machine has a folder of its own in it, " +
				"with its log and the key that signs it; the key is made at the first use.",
		},
		{
			In: in, Name: "name", Pattern: namePattern, Want: nameWant, Examples: []string{"cronjob"},
			Doc: "What this machine's folder is called; left out, as the machine. Pods of a CronJob are called otherwise each time: " +
				"give them one name, and a volume that stays.",
		},
		{
			In: in, Name: "on_failure", Default: "refuse", Pattern: `^(refuse|warn)$`, Want: "want refuse or warn",
			Doc: "What to do when the trail cannot be written, as on a full disk. refuse: what cannot be recorded is not done. " +
				"warn: it is done, and the log says that it was not recorded.",
			Examples: []string{"refuse", "warn"},
		},
		{
			In: in, Name: "copy", Default: "false",
			Doc: "Write each line to standard output too, for a collector; commands write it to standard error. The folder is the record.",
		},
	}
}

// trail gives where it is recorded what is done; nil if it is not.
func (c *checker) trail(f *trailForm) *Trail {
	if !f.written() {
		return nil
	}
	if !f.Dir.ok && !c.hasErrorWithin("trail") {
		c.fail(f.mark, "a folder on a disk that stays", "has no dir")
	}
	return &Trail{Dir: c.path(f.Dir), Name: f.Name.v, Warn: f.OnFailure.v == "warn", Copy: f.Copy.v}
}
