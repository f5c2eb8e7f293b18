package places_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

var vaultProgram = flag.String("places.vault", "", "a program that serves Vault's KV engine until its standard input ends, and prints its address and what it is; empty: the stand-in's reading of it")

// vault is at an address.
type vault struct {
	*testing.T
	address *url.URL
	is      string
}

// startVault starts the program that serves it, or the stand-in.
func startVault(t *testing.T) vault {
	t.Helper()
	if *vaultProgram == "" {
		s := httptest.NewServer(vaulttest.New(vaulttest.NewKV()))
		t.Cleanup(s.Close)
		return vaultAt(t, s.URL, "a stand-in")
	}
	cmd := exec.Command(*vaultProgram)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", *vaultProgram, err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s says no address: %v", *vaultProgram, err)
	}
	address, is, _ := strings.Cut(strings.TrimSpace(line), " ")
	return vaultAt(t, address, is)
}

func vaultAt(t *testing.T, address, is string) vault {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return vault{t, at, is}
}

// proxy passes requests on: it is what the rotator reaches, and delayed.
func (v vault) proxy() http.Handler {
	p := httputil.NewSingleHostReverseProxy(v.address)
	p.ErrorLog = log.New(io.Discard, "", 0) // of the requests of processes that were killed
	return p
}

// read is what the consumer does.
func (v vault) read() string {
	req, err := http.NewRequest(http.MethodGet, v.address.String()+"/v1/"+vaulttest.Mount+"/data/"+target, nil)
	if err != nil {
		v.Error(err)
		return ""
	}
	req.Header.Set("X-Vault-Token", vaulttest.RootToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		v.Error(err)
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data struct {
			Data struct {
				Key string `json:"api_key"`
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		v.Errorf("vault answers %s: %v", resp.Status, err)
	}
	return answer.Data.Data.Key
}
