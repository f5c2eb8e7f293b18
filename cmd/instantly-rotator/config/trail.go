package config

import (
	"github.com/invopop/jsonschema"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster"
)

// Trail is where and how it is recorded what is done.
type Trail struct {
	// Dir holds a folder for each machine; absolute. Empty if there is a ConfigMap.
	Dir string
	// ConfigMap of a trail that is written to the output only, and its Namespace, which may
	// be empty; KeyFile signs it.
	ConfigMap, Namespace, KeyFile string
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
	ConfigMap text `json:"config_map"`
	Namespace text `json:"namespace"`
	KeyFile   text `json:"key_file"`
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
			In: in, Name: "config_map", Pattern: `^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`, Want: "want the name of a ConfigMap",
			Doc: "Instead of dir, in a cluster: the lines go to the pod's output only, to be collected (the daemon's to standard output, " +
				"those of commands to standard error), and this ConfigMap keeps what the next pod goes on from, with the newest " +
				"checkpoint. It has to be there.",
			Examples: []string{"instantly-rotator-trail"},
		},
		{
			In: in, Name: "namespace", Pattern: kubernetescluster.NamespacePattern, Want: kubernetescluster.NamespaceWant,
			Doc: "With config_map: its namespace. Left out, the pod's own or, outside of a cluster, that of the kubeconfig's context.",
		},
		{
			In: in, Name: "key_file", Examples: []string{"/run/secrets/instantly-rotator-trail/key"},
			Doc: "With config_map: a file with the key that signs, from a Secret. It is made by: instantly-rotator trail make-key --dir FOLDER",
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
	switch {
	case c.hasErrorWithin("trail"):
	case f.ConfigMap.ok && f.Dir.ok:
		c.fail(f.ConfigMap.mark, "one of the two", "has a dir too")
	case f.ConfigMap.ok && !f.KeyFile.ok:
		c.fail(f.ConfigMap.mark, "the file with the key that signs: instantly-rotator trail make-key --dir FOLDER", "has no key_file")
	case !f.ConfigMap.ok && (f.KeyFile.ok || f.Namespace.ok):
		c.fail(f.mark, "key_file and namespace are for a trail that is kept in a cluster", "has no config_map")
	case !f.ConfigMap.ok && !f.Dir.ok:
		c.fail(f.mark, "a folder on a disk that stays, or a config_map", "has no dir")
	}
	return &Trail{
		Dir: c.path(f.Dir), Name: f.Name.v, Warn: f.OnFailure.v == "warn", Copy: f.Copy.v,
		ConfigMap: f.ConfigMap.v, Namespace: f.Namespace.v, KeyFile: c.path(f.KeyFile),
	}
}
