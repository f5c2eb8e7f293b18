package webhookauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Format is what a header's value is made of: raw, bearer, or basic:USER.
type Format string

const (
	// Raw: the secret alone.
	Raw Format = "raw"
	// Bearer: "Bearer " and the secret, as in the header Authorization.
	Bearer Format = "bearer"

	basic = "basic:"
)

// Basic is HTTP's basic authentication with the secret as the password.
func Basic(user string) Format { return Format(basic + user) }

// ErrFormat: there is no such format.
var ErrFormat = errors.New("no such format of a webhook's header: raw, bearer or basic:USER")

// Check tells whether it is a format.
func (f Format) Check() error {
	user, isBasic := strings.CutPrefix(string(f), basic)
	switch {
	case f == "", f == Raw, f == Bearer:
		return nil
	case isBasic && user != "" && !strings.ContainsFunc(user, unfit):
		return nil
	default:
		return fmt.Errorf("%q: %w", string(f), ErrFormat)
	}
}

// unfit characters cannot be part of a user's name: the colon ends it.
func unfit(r rune) bool { return r == ':' || r <= ' ' || r > '~' }

// HeaderValue gives the header's value for a secret.
func (f Format) HeaderValue(secret string) string {
	user, isBasic := strings.CutPrefix(string(f), basic)
	switch {
	case isBasic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
	case f == Bearer:
		return "Bearer " + secret
	default:
		return secret
	}
}

// Secret gives the secret in a header's value; false if the value is not of that format.
func (f Format) Secret(header string) (string, bool) {
	user, isBasic := strings.CutPrefix(string(f), basic)
	switch {
	case isBasic:
		coded, ok := cutScheme(header, "Basic")
		plain, err := base64.StdEncoding.DecodeString(coded)
		if !ok || err != nil {
			return "", false
		}
		return strings.CutPrefix(string(plain), user+":")
	case f == Bearer:
		return cutScheme(header, "Bearer")
	default:
		return header, header != ""
	}
}

// cutScheme cuts off the scheme, of which HTTP ignores the case.
func cutScheme(header, scheme string) (string, bool) {
	s, rest, ok := strings.Cut(header, " ")
	return rest, ok && rest != "" && strings.EqualFold(s, scheme)
}
