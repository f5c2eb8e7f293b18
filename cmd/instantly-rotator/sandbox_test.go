package main_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A sandboxProcess is the binary's own sandbox, in a process of its own.
type sandboxProcess struct {
	url      string
	adminKey string
}

// startSandbox starts one on a free port. stop ends it, and is harmless if
// repeated.
func startSandbox(args ...string) (box *sandboxProcess, stop func(), err error) {
	cmd := exec.Command("instantly-rotator", append([]string{"sandbox", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.SysProcAttr = childAttributes()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	said, err := introduction(stdout)
	if err != nil {
		stop()
		return nil, nil, err
	}
	box = &sandboxProcess{
		url:      firstMatch(said, `base_url: (\S+)`),
		adminKey: firstMatch(said, `INSTANTLY_ADMIN_KEY=(\S+)`),
	}
	if box.url == "" || box.adminKey == "" {
		stop()
		return nil, nil, fmt.Errorf("the sandbox introduces itself with %q", said)
	}
	return box, stop, nil
}

// sandboxFor starts a sandbox that ends with the test.
func sandboxFor(t *testing.T, args ...string) *sandboxProcess {
	t.Helper()
	box, stop, err := startSandbox(args...)
	if err != nil {
		t.Fatalf("start the sandbox: %v", err)
	}
	t.Cleanup(stop)
	return box
}

// introduction reads what the sandbox says when it is ready.
func introduction(stdout io.Reader) (string, error) {
	var said strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			return said.String(), nil
		}
	}
	return "", fmt.Errorf("the sandbox ended; it said %q", said.String())
}

func firstMatch(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// control makes a call to the sandbox's own switches and gives its answer.
func (b *sandboxProcess) control(method, path, body string) ([]byte, error) {
	return b.call(method, "/_sandbox/"+path, body, "")
}

// call makes a call with key as the bearer, if there is one, and fails unless it
// is a success.
func (b *sandboxProcess) call(method, path, body, key string) ([]byte, error) {
	req, err := http.NewRequest(method, b.url+path, bytes.NewBufferString(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "end-to-end-test")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}

// works tells whether a value opens the API, as a consumer would find out. One
// that is told to slow down does so; and a key that lacks the scope of the call
// is alive all the same.
func (b *sandboxProcess) works(value string) error {
	for end := time.Now().Add(waitLimit); ; time.Sleep(50 * time.Millisecond) {
		_, err := b.call(http.MethodGet, "/api/v2/campaigns?limit=1", "", value)
		switch {
		case err == nil, strings.Contains(err.Error(), "Invalid scope"):
			return nil
		case !strings.Contains(err.Error(), "429 ") || time.Now().After(end):
			return err
		}
	}
}

// boxKey is a key as the sandbox's control endpoint shows it.
type boxKey struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Alive bool   `json:"alive"`
}

// living lists the keys that are alive.
func (b *sandboxProcess) living() ([]boxKey, error) {
	var all, living []boxKey
	text, err := b.control(http.MethodGet, "keys", "")
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	for _, k := range all {
		if k.Alive {
			living = append(living, k)
		}
	}
	return living, err
}

// addKey makes a key as somebody else in the workspace does, and gives its id and
// its value.
func (b *sandboxProcess) addKey(name, scope string) (id, value string, err error) {
	text, err := b.call(http.MethodPost, "/api/v2/api-keys", fmt.Sprintf(`{"name": %q, "scopes": [%q]}`, name, scope), b.adminKey)
	if err != nil {
		return "", "", err
	}
	var made struct{ ID, Key string }
	err = json.Unmarshal(text, &made)
	return made.ID, made.Key, err
}

// calls gives how many calls of each route came in: "POST /api/v2/api-keys".
func (b *sandboxProcess) calls() (map[string]int, error) {
	counts := map[string]int{}
	text, err := b.control(http.MethodGet, "calls", "")
	if err == nil {
		err = json.Unmarshal(text, &counts)
	}
	return counts, err
}

// waitLimit bounds every wait for another process, on machines however busy.
const waitLimit = 30 * time.Second

// reached waits until a route was called n times. The sandbox counts a call
// before a rule holds it up.
func (b *sandboxProcess) reached(route string, n int) error {
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if counts, err := b.calls(); err != nil || counts[route] >= n {
			return err
		}
	}
	return fmt.Errorf("%s was not called %d times within %s", route, n, waitLimit)
}

// selfSigned makes a certificate for an address that is its own CA, and its key,
// both in PEM.
func selfSigned(ip net.IP) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{ip}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certDER, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certDER})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), nil
}
