package githubsecret

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// App gives the tokens of a GitHub App's installation, each for nearly as long as it lives, to
// the client that [NewAppClient] makes.
type App struct {
	// ID of the App, or its client id; Installation is the one in the account.
	ID, Installation string
	// Key reads the App's private key.
	Key func(context.Context) (secret.Value, error)
	Now func() time.Time

	client *Client // which asks for the tokens too

	mu    sync.Mutex
	token secret.Value
	until time.Time
}

// early is how long before its end a token is no longer used: clocks differ, and a put has
// several calls.
const early = 5 * time.Minute

// Token gives one that works for some minutes.
func (a *App) Token(ctx context.Context) (secret.Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Now().Before(a.until.Add(-early)) {
		return a.token, nil
	}
	key, err := a.Key(ctx)
	if err != nil {
		return secret.Value{}, fmt.Errorf("github: the App's private key: %w", err)
	}
	signed, err := a.signed(key)
	if err != nil {
		return secret.Value{}, fmt.Errorf("github: %w", err)
	}
	answer, err := a.client.send(ctx, http.MethodPost, "/app/installations/"+a.Installation+"/access_tokens", bearer(signed), nil)
	if err != nil {
		return secret.Value{}, err
	}
	if !answer.OK() {
		return secret.Value{}, fmt.Errorf("github: have a token for the App's installation: %w", answer.Refused())
	}
	var got struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if json.Unmarshal(answer.Body, &got) != nil || got.Token == "" {
		return secret.Value{}, fmt.Errorf("github: %w", answer.Unreadable("no token"))
	}
	a.token, a.until = secret.New(got.Token), got.ExpiresAt
	return a.token, nil
}

// signed is the App's word that it is itself: a JWT of RS256, for some minutes, from a minute
// ago, as GitHub advises for clocks that differ.
func (a *App) signed(key secret.Value) (secret.Value, error) {
	private, err := privateKey(key)
	if err != nil {
		return secret.Value{}, err
	}
	const behind, ahead = time.Minute, 9 * time.Minute
	claims, err := json.Marshal(map[string]any{"iat": a.Now().Add(-behind).Unix(), "exp": a.Now().Add(ahead).Unix(), "iss": a.ID})
	if err != nil {
		return secret.Value{}, fmt.Errorf("write down the App's claims: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
	if err != nil {
		return secret.Value{}, fmt.Errorf("sign with the App's private key: %w", err)
	}
	return secret.New(text + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}
