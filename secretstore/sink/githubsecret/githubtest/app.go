package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// App is a GitHub App with one installation.
type App struct {
	ID, Installation string
	Now              func() time.Time
	// PEM is its private key, as GitHub gives it.
	PEM string

	key *rsa.PrivateKey
}

// NewApp makes one.
func NewApp(id, installation string, now func() time.Time) *App {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return &App{ID: id, Installation: installation, Now: now, PEM: string(text), key: key}
}

// Issued counts the tokens that were given.
func (s *Server) Issued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.issued)
}

// Expire has all tokens that were given work no more.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.issued {
		s.issued[i] = "expired"
	}
}

func (s *Server) giveToken(w http.ResponseWriter, path, token string) {
	switch {
	case s.App == nil || !s.App.signed(token):
		fail(w, http.StatusUnauthorized, "A JSON web token could not be decoded")
	case path != "/app/installations/"+s.App.Installation+"/access_tokens":
		fail(w, http.StatusNotFound, "Not Found")
	default:
		given := fmt.Sprintf("ghs_%d", len(s.issued))
		s.issued = append(s.issued, given)
		answer(w, http.StatusCreated, map[string]any{"token": given, "expires_at": s.App.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	}
}

// signed verifies a JWT: its signature, its times and who it is of.
func (a *App) signed(token string) bool {
	parts := strings.Split(token, ".")
	const of = 3
	if len(parts) != of {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	var claims struct {
		From  int64  `json:"iat"`
		Until int64  `json:"exp"`
		By    string `json:"iss"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return false
	}
	now, most := a.Now().Unix(), int64(10*time.Minute/time.Second)
	return claims.By == a.ID && claims.From <= now && now < claims.Until && claims.Until-now <= most
}
