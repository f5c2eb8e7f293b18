package gcpsecretmanager

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// names are the resource names of one secret, as they are asked for. Answers
// have the project's number in place of its id: names are never compared.
type names struct {
	// parent is the project, or the location in it.
	parent string
	secret string
}

func namesOf(site Site, o Options) names {
	parent := "projects/" + o.Project
	if site.Location != "" {
		parent += "/locations/" + site.Location
	}
	return names{parent: parent, secret: parent + "/secrets/" + o.Secret}
}

// version gives the resource name of a version.
func (n names) version(number int64) string {
	return n.secret + "/versions/" + strconv.FormatInt(number, 10)
}

// latest names the newest version, whatever its state.
func (n names) latest() string { return n.secret + "/versions/latest" }

// numberOf gives the number in a version's resource name.
func numberOf(name string) (int64, error) {
	number, err := strconv.ParseInt(name[strings.LastIndex(name, "/")+1:], 10, 64)
	if err != nil || number < 1 {
		return 0, fmt.Errorf("the server calls a version %q: %w", name, secretstore.ErrCorrupt)
	}
	return number, nil
}
