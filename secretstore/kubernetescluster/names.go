package kubernetescluster

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// What Kubernetes takes for the name of a namespace, for machines and people.
const (
	NamespacePattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`
	NamespaceWant    = "want lower-case letters, digits and hyphens, at most 63"
)

// IsObjectName tells whether Kubernetes takes a text for the name of a Secret.
func IsObjectName(name string) bool {
	const most = 253
	return len(name) <= most && storekind.Pattern(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`).MatchString(name)
}

// IsQualifiedName tells whether Kubernetes takes a text for the name of a label or
// an annotation.
func IsQualifiedName(name string) bool {
	prefix, short, found := strings.Cut(name, "/")
	if !found {
		return IsShortName(name)
	}
	return IsShortName(short) && IsObjectName(prefix)
}

// IsShortName tells whether Kubernetes takes a text for the name of a label or an
// annotation without a prefix, and for the value of a label.
func IsShortName(name string) bool { return storekind.Pattern(ShortNamePattern).MatchString(name) }

// ShortNamePattern is what [IsShortName] says yes to.
const ShortNamePattern = `^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`
