package awssecretsmanager

import (
	"fmt"
	"slices"
	"strings"
)

// advice tells of a version that the rotator did not put and that a rotation
// takes the last label from. AWS removes versions without labels; Terraform, if
// it made the version (aws_secretsmanager_secret_version), then makes it again,
// over the live value.
func (r *reading) advice() []string {
	var out []string
	if r.primary != "" {
		out = append(out, "it is "+r.replica())
	}
	if p := r.pending; p != "" && !r.isOurs(p) {
		out = append(out, fmt.Sprintf("version %s is pending and was not put by the rotator: no rotation begins before it is current or given up; to give it up: "+
			"aws secretsmanager update-secret-version-stage --secret-id %s --version-stage AWSPENDING --remove-from-version-id %s", p, r.arn, p))
	}
	if r.vacant != "" {
		out = append(out, "AWS began a rotation and waits for its version "+r.vacant+": the next rotation fills it")
	}
	for _, v := range []struct{ version, when string }{
		{r.current, "after the next rotation"},
		{r.previous, "when its grace period is over"},
	} {
		if v.version == "" || r.isOurs(v.version) || r.isLabelled(v.version) {
			continue
		}
		out = append(out, fmt.Sprintf("version %s was not put by the rotator and loses its last label %s; if Terraform made it, the next apply "+
			"then writes its old value over the live one: take the aws_secretsmanager_secret_version out of Terraform, "+
			"or give the version a staging label of your own", v.version, v.when))
	}
	return out
}

// isOurs tells whether the rotator put the version.
func (r *reading) isOurs(version string) bool {
	_, put := r.keys[version]
	return put
}

// isLabelled tells whether a version bears a label that is neither AWS's nor
// the rotator's, and so stays whatever a rotation does.
func (r *reading) isLabelled(version string) bool {
	return slices.ContainsFunc(r.labelsOn(version), func(label string) bool {
		return !strings.HasPrefix(label, "AWS") && !strings.HasPrefix(label, ours)
	})
}
