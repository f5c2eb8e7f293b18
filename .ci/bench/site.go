package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
)

// A site is what the daemon is run on.
type site struct {
	dir    string
	box    *sandbox.Server
	server *http.Server
	url    string
}

func (s *site) close() { _ = s.server.Close() }

// prepare makes workspaces, keys and stores such as a daemon that has run for a
// month leaves them, and the configuration.
func prepare(ctx context.Context, dir string, targets, perSpace int) (*site, error) {
	o := sandbox.Options{RateLimit: sandbox.RateLimit{PerSecond: -1, PerMinute: -1}}
	for i := range (targets + perSpace - 1) / perSpace {
		o.Workspaces = append(o.Workspaces, sandbox.Workspace{ID: fmt.Sprintf("0193a7c2-0000-7000-8000-%012d", i), Name: fmt.Sprint("space ", i)})
	}
	s := &site{dir: dir, box: sandbox.New(o)}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.box, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "bench: sandbox:", err)
		}
	}()
	if err := s.configure(targets, perSpace); err != nil {
		return nil, err
	}
	const atOnce = 32 // they wait for the disk
	errs := make([]error, atOnce)
	var hands sync.WaitGroup
	for hand := range atOnce {
		hands.Go(func() {
			for i := hand; i < targets && errs[hand] == nil; i += atOnce {
				errs[hand] = s.stock(ctx, i, o.Workspaces[i/perSpace].ID)
			}
		})
	}
	hands.Wait()
	return s, errors.Join(errs...)
}

// stock puts a key into a target's store, as the engine does.
func (s *site) stock(ctx context.Context, i int, workspace string) error {
	scopes := []string{"campaigns:read"}
	key, err := s.box.AddKey(workspace, fmt.Sprintf("instantly-rotator/key-%d/made/before", i), scopes...)
	if err != nil {
		return err
	}
	store, err := filestore.Open(filestore.Options{
		Dir: filepath.Join(s.dir, "store", fmt.Sprint("key-", i)), Identity: filepath.Join(s.dir, "store", "identity"),
	})
	if err != nil {
		return err
	}
	seen, err := store.Describe(ctx)
	if err != nil {
		return err
	}
	at := time.Now()
	version := secretstore.Version{ID: key.ID, Organization: workspace, Intent: secretstore.Intent{
		Nonce: "before", At: at, Scopes: scopes, Grace: 24 * time.Hour,
	}}
	if seen, err = store.Stage(ctx, seen, version, key.Value); err != nil {
		return err
	}
	_, err = store.Promote(ctx, seen, key.ID, at)
	return err
}

// configure writes the configuration and the admin keys.
func (s *site) configure(targets, perSpace int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "stores: {local: {kind: file, path: ./store}}\nworkspaces:\n")
	for i := range s.box.Workspaces() {
		fmt.Fprintf(&b, "  space-%d: {admin_key: {env: ADMIN_%d}, base_url: %q}\n", i, i, s.url)
	}
	b.WriteString("keys:\n")
	for i := range targets {
		fmt.Fprintf(&b, "  - {name: key-%d, workspace: space-%d, scopes: [campaigns:read], stores: [{store: local}], schedule: \"@every 90d\"}\n", i, i/perSpace)
	}
	return os.WriteFile(filepath.Join(s.dir, "config.yaml"), []byte(b.String()), 0o600)
}

// requests counts the calls to the API so far.
func (s *site) requests() (n int) {
	for _, calls := range s.box.Calls() {
		n += calls
	}
	return n
}
