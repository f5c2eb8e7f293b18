package serverless

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"
)

// Callers are who may ask for something: service accounts, which show a token of Google's
// that was made for this service.
type Callers struct {
	validator *idtoken.Validator
	audience  string
	accounts  []string
}

// NewCallers knows them by the audience of their tokens, which is this service's address, and
// by their accounts' addresses: at least one of each. Google's keys are had by client.
func NewCallers(ctx context.Context, client *http.Client, audience string, accounts []string) (*Callers, error) {
	if audience == "" || len(accounts) == 0 {
		return nil, errors.New("want an audience, and the accounts that may call")
	}
	v, err := idtoken.NewValidator(ctx, option.WithHTTPClient(client))
	if err != nil {
		return nil, fmt.Errorf("verify tokens: %w", err)
	}
	return &Callers{v, audience, accounts}, nil
}

// Who gives the account that a request is from. An error says nothing of the token but what
// is wrong with it.
func (c *Callers) Who(r *http.Request) (string, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", errors.New("no bearer token")
	}
	if err := isRS256(token); err != nil {
		return "", err
	}
	p, err := c.validator.Validate(r.Context(), token, c.audience)
	if err != nil {
		return "", err
	}
	email, _ := p.Claims["email"].(string)
	verified, _ := p.Claims["email_verified"].(bool)
	switch {
	case p.Issuer != "https://accounts.google.com" && p.Issuer != "accounts.google.com":
		return "", errors.New("the token is not of accounts.google.com")
	case !verified || !slices.Contains(c.accounts, email):
		return "", errors.New("the token is of an account that may not call")
	default:
		return email, nil
	}
}

// isRS256 lets no other algorithm in: that is what Google signs with for service accounts, and
// what is expected is not for the token to say.
func isRS256(token string) error {
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct{ Alg string }
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil || header.Alg != "RS256" {
		return errors.New("want a token that is signed by RS256")
	}
	return nil
}
