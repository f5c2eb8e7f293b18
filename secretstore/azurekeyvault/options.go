package azurekeyvault

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Options say which secret of a vault it is.
type Options struct {
	// Secret is its name. Upper and lower case are the same to the vault.
	Secret string
	// Owner is the deployment that the secret belongs to; "instantly-rotator" if empty.
	// One that bears the mark of another is refused.
	Owner string
	// Now tells the time; time.Now if nil.
	Now func() time.Time
}

const (
	defaultOwner = "instantly-rotator"
	// stateSuffix is added to a secret's name for the one that holds the state.
	stateSuffix = "-rotator"
	// maxName is the most characters that the name of a secret may have.
	maxName = 127
)

var nameForm = regexp.MustCompile(`^[0-9A-Za-z-]+$`)

// refuse says what a name must look like if it is none; empty if it is one.
func refuse(name string) string {
	switch {
	case !nameForm.MatchString(name), len(name) > maxName-len(stateSuffix):
		return fmt.Sprintf("want letters, digits and hyphens, at most %d", maxName-len(stateSuffix))
	case strings.HasSuffix(strings.ToLower(name), stateSuffix):
		return "want a name that does not end with " + stateSuffix + ", which the rotator adds itself"
	default:
		return ""
	}
}

// Open gives the store of a secret. It makes no call: what is wrong with the secret,
// Describe finds out.
func (c *Client) Open(o Options) (*Store, error) {
	if why := refuse(o.Secret); why != "" {
		return nil, fmt.Errorf("azurekeyvault: open: bad name of a secret: %s: %w", why, secretstore.ErrNotFound)
	}
	if o.Owner == "" {
		o.Owner = defaultOwner
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{o: o, client: c, tidied: map[string]bool{}}, nil
}
