package vaultkv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/openbao/openbao/api/v2"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// The methods by which a server knows us.
const (
	byToken      = "token"
	byKubernetes = "kubernetes"
	byAppRole    = "approle"
	byJWT        = "jwt"
)

// serviceAccountToken is where a pod finds its own.
const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token" //nolint:gosec // a path

// Auth says how a server is to know us. Files are read at each login, so that what
// replaces them is taken up.
type Auth struct {
	// Method is token, kubernetes, approle or jwt; empty for token.
	Method string
	// Mount of the auth method; empty for the method's own name.
	Mount string
	// Role of kubernetes or jwt.
	Role string
	// TokenFile has the token; empty for BAO_TOKEN or VAULT_TOKEN.
	TokenFile string
	// RoleID and SecretIDFile are of approle; without a file the secret id is in
	// BAO_SECRET_ID or VAULT_SECRET_ID.
	RoleID, SecretIDFile string
	// JWTFile of jwt or kubernetes; empty for the pod's own token.
	JWTFile string
}

// session is a token and how long it is good.
type session struct {
	auth Auth

	mu    sync.Mutex
	token secret.Value
	// since is when it was got, next when it is to be got anew or renewed, and ends when it
	// expires, of one that a login gave; zero for never.
	since, next, ends time.Time
}

func newSession(a Auth) session {
	a.Method = cmp.Or(a.Method, byToken)
	return session{auth: a}
}

const (
	// oldEnough is the age from which a refused token may have been revoked or expired: a
	// refusal of a younger one is for want of a permission.
	oldEnough = 10 * time.Second
	// whenUnrenewed is the wait after the server refused to renew a token, or did not say how
	// long it is good: it may be good for ever, or become renewable.
	whenUnrenewed = time.Hour
	// whenUnavailable is the wait after the server could not renew a token, or give one, and
	// the least between two renewals.
	whenUnavailable = time.Minute
)

// untilRenewal is how long a token is used before it is renewed: half of its time, so that
// an outage, and the pause between two looks at a secret, have room in the other half.
func untilRenewal(lease time.Duration) time.Duration { return max(lease/2, whenUnavailable) }

// untilLogin is how long one that a login gave is used before the next login.
func untilLogin(lease time.Duration) time.Duration { return lease * 2 / 3 }

// authenticate sees to it that there is a token.
func (c *Client) authenticate(ctx context.Context) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	switch now := time.Now(); {
	case c.session.token.IsZero():
		return c.begin(ctx, now)
	case c.session.next.IsZero() || now.Before(c.session.next):
		return nil
	case c.session.auth.Method == byToken:
		c.renew(ctx, now)
		return nil
	default:
		return c.replace(ctx, now)
	}
}

// replace logs in before the token expires. Where that is not possible now, the token serves
// on until then.
func (c *Client) replace(ctx context.Context, now time.Time) error {
	err := c.login(ctx, now)
	if errors.Is(err, secretstore.ErrUnavailable) && now.Before(c.session.ends) {
		c.session.next = now.Add(whenUnavailable)
		return nil
	}
	return err
}

// authenticateAnew takes another token for one that was refused, and tells whether it did.
func (c *Client) authenticateAnew(ctx context.Context) (bool, error) {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	now, before := time.Now(), c.session.token
	if now.Sub(c.session.since) < oldEnough {
		return false, nil
	}
	err := c.begin(ctx, now)
	return err == nil && !c.session.token.Equal(before), err
}

// begin gets a token.
func (c *Client) begin(ctx context.Context, now time.Time) error {
	if c.session.auth.Method == byToken {
		token, err := fromFile(c.session.auth.TokenFile, api.EnvVaultToken)
		if err != nil {
			return fmt.Errorf("the token: %w", err)
		}
		if c.session.take(token, now) {
			c.setToken(token)
			c.renew(ctx, now)
		}
		return nil
	}
	return c.login(ctx, now)
}

// take puts a token in the place of the one before, and tells whether it is another one.
func (s *session) take(token secret.Value, now time.Time) bool {
	before := s.token
	s.token, s.since = token, now
	return !token.Equal(before)
}

// held gives the token that calls are made with.
func (s *session) held() secret.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// login exchanges a credential for a token.
func (c *Client) login(ctx context.Context, now time.Time) error {
	a := c.session.auth
	path := "auth/" + cmp.Or(a.Mount, a.Method) + "/login"
	body, presented, err := a.credentials()
	if err != nil {
		return fmt.Errorf("log in by %s: %w", a.Method, err)
	}
	answer, err := c.anonymous.Logical().WriteWithContext(ctx, path, body)
	if err != nil {
		return refusedLogin(path, err, presented)
	}
	if answer == nil || answer.Auth == nil || answer.Auth.ClientToken == "" {
		return fmt.Errorf("log in at %s: the answer has no token: %w", path, secretstore.ErrUnavailable)
	}
	token := secret.New(answer.Auth.ClientToken)
	c.session.take(token, now)
	c.setToken(token)
	c.session.next, c.session.ends = time.Time{}, time.Time{}
	if lease := leaseOf(answer); lease > 0 {
		c.session.next, c.session.ends = now.Add(untilLogin(lease)), now.Add(lease)
	}
	return nil
}

// credentials are the body of a login, and what is secret in it.
func (a Auth) credentials() (map[string]any, secret.Value, error) {
	if a.Method == byAppRole {
		id, err := fromFile(a.SecretIDFile, "BAO_SECRET_ID")
		return map[string]any{"role_id": a.RoleID, "secret_id": credential(id)}, id, err
	}
	jwt, err := fromFile(cmp.Or(a.JWTFile, serviceAccountToken), "")
	return map[string]any{"role": a.Role, "jwt": credential(jwt)}, jwt, err
}

// leaseOf is how long the token of an answer is good; 0 for ever, or if none is said.
func leaseOf(answer *api.Secret) time.Duration {
	if answer == nil || answer.Auth == nil {
		return 0
	}
	return time.Duration(answer.Auth.LeaseDuration) * time.Second
}

// renew asks for more time for a token that nobody else renews, and learns how long it is
// good. That it cannot be had is no reason to stop: the token may be good for ever.
func (c *Client) renew(ctx context.Context, now time.Time) {
	answer, err := c.api.Logical().WriteWithContext(ctx, "auth/token/renew-self", map[string]any{})
	wait := whenUnrenewed
	if lease := leaseOf(answer); err == nil && lease > 0 {
		wait = untilRenewal(lease)
	} else if err != nil && !isRefusal(err) {
		wait = whenUnavailable
	}
	c.session.next = now.Add(wait)
}

// fromFile reads a credential out of a file or, without one, the environment.
func fromFile(path, variable string) (secret.Value, error) {
	text := []byte(api.ReadBaoVariable(variable))
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return secret.Value{}, fmt.Errorf("%w: %w", secretstore.ErrNoCredentials, err)
		}
	}
	value := secret.New(strings.TrimSpace(string(text)))
	if value.IsZero() {
		where := path
		if where == "" {
			where = variable + " or " + api.UpstreamVariableName(variable)
		}
		return secret.Value{}, fmt.Errorf("there is none in %s: %w", where, secretstore.ErrNoCredentials)
	}
	return value, nil
}
