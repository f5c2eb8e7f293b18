package vaultkv

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/openbao/openbao/api/v2"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Site is a server, and as whom it is called.
type Site struct {
	// Address is its URL; empty for what BAO_ADDR or VAULT_ADDR says.
	Address string
	// Namespace; empty for what BAO_NAMESPACE or VAULT_NAMESPACE says.
	Namespace string
	// CAFile has certificates to trust besides; empty for what BAO_CACERT or
	// VAULT_CACERT says.
	CAFile string
	Auth   Auth
}

// Client calls a server. It is safe for concurrent use.
type Client struct {
	api *api.Client
	// anonymous has no token: it logs in.
	anonymous *api.Client
	namespace string
	session   session
}

// callTimeout bounds one call, so that a server that accepts connections and says
// nothing cannot hold up a target for good.
const callTimeout = 30 * time.Second

// Connect gives a client. It makes no call. Transport, if not nil, is what requests are
// sent through.
func Connect(site Site, transport http.RoundTripper) (*Client, error) {
	address := cmp.Or(site.Address, api.ReadBaoVariable(api.EnvVaultAddress))
	if address == "" {
		return nil, fmt.Errorf("vaultkv: connect: no address of a server: write address, or set BAO_ADDR or VAULT_ADDR: %w", secretstore.ErrNotFound)
	}
	if err := checkAddress(address); err != nil {
		where := "address"
		if site.Address == "" {
			where = "BAO_ADDR or VAULT_ADDR"
		}
		return nil, fmt.Errorf("vaultkv: connect: %s: %w", where, err)
	}
	cfg := api.NewConfig()
	if cfg.Error != nil {
		return nil, fmt.Errorf("vaultkv: connect: %w", cfg.Error)
	}
	// A write that arrives twice looks like a lost race; the engine tries again what is
	// worth it.
	cfg.Address, cfg.Timeout, cfg.MaxRetries = address, callTimeout, 0
	tls := &api.TLSConfig{
		CACert: cmp.Or(site.CAFile, api.ReadBaoVariable(api.EnvVaultCACert)), CAPath: api.ReadBaoVariable(api.EnvVaultCAPath),
	}
	if err := cfg.ConfigureTLS(tls); err != nil {
		return nil, fmt.Errorf("vaultkv: connect: certificates to trust: %w", err)
	}
	if transport != nil {
		cfg.HttpClient.Transport = transport
	}
	c := &Client{namespace: cmp.Or(site.Namespace, api.ReadBaoVariable(api.EnvVaultNamespace)), session: newSession(site.Auth)}
	for _, client := range []**api.Client{&c.api, &c.anonymous} {
		made, err := api.NewClient(cfg)
		if err != nil {
			return nil, fmt.Errorf("vaultkv: connect: %w", err)
		}
		if c.namespace != "" {
			made.SetNamespace(c.namespace)
		}
		*client = made
	}
	return c, nil
}

// checkAddress demands what the configuration demands of an address that stands in it: the
// environment's does not pass there. A socket is on this machine.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err == nil && u.Scheme == "unix":
		return nil
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http": // the cause repeats it
		return fmt.Errorf("not the address of a web server: write for example https://vault.example.com:8200: %w", secretstore.ErrUnfit)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("an address with a user, a query or a fragment: write for example https://vault.example.com:8200: %w", secretstore.ErrUnfit)
	case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return fmt.Errorf("plain http would show keys to the network: write https: %w", secretstore.ErrUnfit)
	default:
		return nil
	}
}

// engine makes the calls about the secrets of a mount.
type engine struct {
	client *Client
	mount  string
}

// entry is one version of a path.
type entry struct {
	path string
	// version is 0 if there is none.
	version int
	created time.Time
	// object is what it holds, as JSON; zero if nothing any more.
	object secret.Value
	// deleted: a person can get the object back.
	deleted bool
	// ends is when it is deleted by itself; zero for never.
	ends time.Time
}

func (e entry) same(other entry) bool {
	return e.version == other.version && e.created.Equal(other.created) && e.deleted == other.deleted
}

// metadata is what the engine says of a version.
type metadata struct {
	Version   int    `json:"version"`
	Created   string `json:"created_time"`
	Deletion  string `json:"deletion_time"`
	Destroyed bool   `json:"destroyed"`
}

func (m metadata) entry(path string) entry {
	e := entry{path: path, version: m.Version}
	e.created, _ = time.Parse(time.RFC3339Nano, m.Created)
	e.ends, _ = time.Parse(time.RFC3339Nano, m.Deletion)
	return e
}

// read gives a version of a path; the newest for 0.
func (e engine) read(ctx context.Context, path string, version int) (entry, error) {
	full := e.mount + "/data/" + path
	query := url.Values{}
	if version > 0 {
		query.Set("version", strconv.Itoa(version))
	}
	answer, err := e.client.call(ctx, "read", full, func(ctx context.Context, l *api.Logical) (*api.Secret, error) {
		return readUnlessUnrouted(ctx, l, full, query)
	})
	if err != nil {
		return entry{}, err
	}
	if answer == nil { // there never was one
		return entry{path: path}, nil
	}
	var m metadata
	if err := into(answer.Data["metadata"], &m); err != nil || m.Version < 1 {
		return entry{}, fmt.Errorf("read %s: %w", full, errNoKV2(e.mount))
	}
	found := m.entry(path)
	data, holds := answer.Data["data"].(map[string]any)
	if !holds {
		found.deleted, found.ends = !m.Destroyed, time.Time{}
		return found, nil
	}
	found.object, err = unwire(data)
	return found, err
}

// readUnlessUnrouted reads. The client takes every 404 for a path that holds nothing; but
// one that is not routed to an engine is an error.
func readUnlessUnrouted(ctx context.Context, l *api.Logical, full string, query url.Values) (*api.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := l.ReadRawWithDataWithContext(ctx, full, query)
	if res != nil {
		defer func() { _ = res.Body.Close() }()
	}
	var refused *api.ResponseError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound && len(refused.Errors) > 0 {
		return nil, err
	}
	return l.ParseRawResponseAndCloseBody(res, err)
}

// write makes the next version of a path, if cas is the newest one. It is sent once.
func (e engine) write(ctx context.Context, path string, cas int, object secret.Value) (entry, error) {
	full := e.mount + "/data/" + path
	body, err := wire(object, cas)
	if err != nil {
		return entry{}, fmt.Errorf("encode a write: %w", secretstore.ErrCorrupt)
	}
	answer, err := e.client.call(ctx, "write", full, func(ctx context.Context, l *api.Logical) (*api.Secret, error) {
		return l.WriteBytesWithContext(ctx, full, body)
	}, texts(object)...)
	if err != nil {
		return entry{}, err
	}
	var m metadata
	if answer == nil || into(answer.Data, &m) != nil || m.Version == 0 {
		return entry{}, fmt.Errorf("write %s: %w", full, errNoKV2(e.mount))
	}
	if m.Version != cas+1 {
		return entry{}, fmt.Errorf("write %s: it was made over version %d, only if the newest is %d: %w", full, m.Version-1, cas, secretstore.ErrUnfit)
	}
	written := m.entry(path)
	written.object = object
	return written, nil
}

// prepare has the engine keep one version of a path: each older one has values in it.
func (e engine) prepare(ctx context.Context, path string) error {
	full := e.mount + "/metadata/" + path
	_, err := e.client.call(ctx, "write", full, func(ctx context.Context, l *api.Logical) (*api.Secret, error) {
		return l.WriteWithContext(ctx, full, map[string]any{"max_versions": 1, "cas_required": true})
	})
	return err
}

// destroy takes the objects of versions away for good.
func (e engine) destroy(ctx context.Context, path string, versions []int) error {
	full := e.mount + "/destroy/" + path
	_, err := e.client.call(ctx, "destroy", full, func(ctx context.Context, l *api.Logical) (*api.Secret, error) {
		return l.WriteWithContext(ctx, full, map[string]any{"versions": versions})
	})
	return err
}

// capabilities tells what the token may do at paths.
func (e engine) capabilities(ctx context.Context, paths []string) (map[string][]string, error) {
	const full = "sys/capabilities-self"
	answer, err := e.client.call(ctx, "ask", full, func(ctx context.Context, l *api.Logical) (*api.Secret, error) {
		return l.WriteWithContext(ctx, full, map[string]any{"paths": paths})
	})
	if err != nil {
		return nil, err
	}
	granted := map[string][]string{}
	for _, path := range paths {
		var may []string
		if answer == nil || into(answer.Data[path], &may) != nil {
			return nil, fmt.Errorf("%s says nothing of %s: %w", full, path, secretstore.ErrUnavailable)
		}
		granted[path] = may
	}
	return granted, nil
}

// call makes a call as the session's token; once more with a new one where that is
// refused, which is no effect. Its error says what was tried, verb, on a path, and has
// neither the token in it nor any of sent.
func (c *Client) call(ctx context.Context, verb, path string, send func(context.Context, *api.Logical) (*api.Secret, error), sent ...secret.Value) (*api.Secret, error) {
	if err := c.authenticate(ctx); err != nil {
		return nil, failed(verb, path, err)
	}
	sent = append(sent, c.session.held())
	answer, err := send(ctx, c.api.Logical())
	var refused *api.ResponseError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden {
		if renewed, errLogin := c.authenticateAnew(ctx); errLogin == nil && renewed {
			sent = append(sent, c.session.held())
			answer, err = send(ctx, c.api.Logical())
		}
	}
	return answer, failed(verb, path, err, sent...)
}

// into takes a part of an answer apart.
func into(part, v any) error {
	text, err := json.Marshal(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
