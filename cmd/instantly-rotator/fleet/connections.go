package fleet

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/recorder"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Options say what a fleet is made of, and who hears of it.
type Options struct {
	Config *config.Config
	Now    func() time.Time
	// Getenv reads the environment variables that the configuration names.
	Getenv func(string) string
	Log    *zap.Logger
	// ReadOnly: nothing may be changed, not even made, and a person waits.
	ReadOnly bool
	// Command is what runs, Version the program's, as the trail tells of them. Collector
	// gets the trail's lines too, where that is configured; Wrote is told of each attempt to
	// write one. All may be left out.
	Command, Version string
	Collector        io.Writer
	Wrote            func(error)
	// Observe is told of each step, as the log is; may be nil.
	Observe func(rotator.Event)
	// Doing is told what a person waits for: see [rotator.Options]; may be nil.
	Doing func(target string, s rotator.Step)
	// Paces are shared by all connections that are there at a time; nil if there are no
	// others.
	Paces *Paces
	// Called is told of each call at Instantly; may be nil.
	Called func(workspace string, c instantly.Call)
}

// Connections are what a configuration's targets, admin keys and receivers are
// reached by. Each is opened when it is first asked for, and shared from then on.
// One that cannot be had fails those that need it, when they use it, and nobody
// else. They are not for several goroutines, what they open is.
type Connections struct {
	Options
	workspaces map[string]*rotator.Workspace
	hooks      map[string]hooks // by workspace
	env        *storekind.Environment
	stores     map[config.StoreRef]secretstore.Store
	clients    []*instantly.Client
	bound      map[string]bound     // by the name of a workspace that is bound
	admins     map[string]*adminKey // by where they are kept
	recorder   *recorder.Recorder   // see Recorder
}

// RetryNow has what is being retried at Instantly tried again at once.
func (c *Connections) RetryNow() {
	for _, client := range c.clients {
		client.RetryNow()
	}
}

// Connect opens nothing yet.
func Connect(o Options) *Connections {
	if o.Paces == nil {
		o.Paces = &Paces{}
	}
	return &Connections{
		Options: o, workspaces: map[string]*rotator.Workspace{}, hooks: map[string]hooks{}, stores: map[config.StoreRef]secretstore.Store{}, admins: map[string]*adminKey{}, bound: map[string]bound{},
		env: &storekind.Environment{Owner: o.Config.Owner, Now: o.Now, ReadOnly: o.ReadOnly},
	}
}

// Close ends the connections of the stores, and makes durable what was recorded. They
// fail from then on.
func (c *Connections) Close() {
	_ = c.env.Close() // nothing is lost by it
	c.recorder.Close()
}

// Store opens one secret in one of the configured stores.
func (c *Connections) Store(ctx context.Context, ref config.StoreRef) secretstore.Store {
	if store, ok := c.stores[ref]; ok {
		return store
	}
	store, err := c.Config.Stores[ref.Store].Settings.Open(ctx, c.env, ref.Secret)
	if err != nil {
		store = unopened{err}
	}
	c.stores[ref] = store
	return store
}

// workspace binds a workspace once, so that its targets share the key list and
// the limiter.
func (c *Connections) workspace(ctx context.Context, name string) *rotator.Workspace {
	if ws, ok := c.workspaces[name]; ok {
		return ws
	}
	return c.bind(ctx, c.Config.Workspaces[name])
}

// home is the workspace in whose own name a target's keys are issued: an agency's admin
// key is not one of the workspace that it acts for.
func (c *Connections) home(ctx context.Context, k config.Key) *rotator.Workspace {
	cfg := c.Config.Workspaces[k.Workspace]
	if !k.Admin || cfg.AsWorkspace == "" {
		return c.workspace(ctx, k.Workspace)
	}
	cfg.Name, cfg.AsWorkspace, cfg.OrganizationID = k.Name, "", ""
	return c.bind(ctx, cfg)
}

func (c *Connections) bind(ctx context.Context, cfg config.Workspace) *rotator.Workspace {
	var issuer rotator.Issuer
	client, err := c.connect(ctx, cfg)
	c.bound[cfg.Name] = bound{client, err}
	if err != nil {
		issuer = unreachable{err}
	} else {
		issuer = apikeys.New(client)
	}
	ws := rotator.NewWorkspace(cfg.Name, issuer, cfg.OrganizationID)
	c.workspaces[cfg.Name] = ws
	return ws
}

// bound is the client of a workspace that is bound, or why there is none.
type bound struct {
	client *instantly.Client
	err    error
}

// auditLogOf is where it shows what a target's keys do. It shares the limiter of the
// workspace that they are issued in.
func (c *Connections) auditLogOf(ctx context.Context, k config.Key) (*instantly.Client, error) {
	b := c.bound[c.home(ctx, k).Name]
	return b.client, b.err
}

// Shared is the client of a workspace that all its targets use, or why there is none.
func (c *Connections) Shared(ctx context.Context, workspace string) (*instantly.Client, error) {
	b := c.bound[c.workspace(ctx, workspace).Name]
	return b.client, b.err
}

// Client makes a client for a workspace. An error is why its admin key cannot be had.
func (c *Connections) Client(ctx context.Context, workspace string) (*instantly.Client, error) {
	return c.connect(ctx, c.Config.Workspaces[workspace])
}

// ClientAs makes a client that calls itself something else.
func (c *Connections) ClientAs(ctx context.Context, workspace, userAgent string) (*instantly.Client, error) {
	o, err := c.clientOptions(ctx, c.Config.Workspaces[workspace])
	if err != nil {
		return nil, err
	}
	o.UserAgent = userAgent
	return instantly.NewClient(o)
}

func (c *Connections) connect(ctx context.Context, cfg config.Workspace) (*instantly.Client, error) {
	client, err := c.client(ctx, cfg)
	if err == nil {
		c.clients = append(c.clients, client)
	}
	return client, err
}

// readOnlyRetries is how long a call is tried again while a person waits.
const readOnlyRetries = 5 * time.Second

func (c *Connections) client(ctx context.Context, cfg config.Workspace) (*instantly.Client, error) {
	o, err := c.clientOptions(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return instantly.NewClient(o)
}

func (c *Connections) clientOptions(ctx context.Context, cfg config.Workspace) (instantly.Options, error) {
	key := c.adminKey(ctx, cfg.AdminKey)
	if key.err != nil {
		return instantly.Options{}, key.err
	}
	o := instantly.Options{
		BaseURL: cfg.BaseURL, Credential: key.Credential, AsWorkspace: cfg.AsWorkspace,
		Pacer:   c.Paces.of(cfg),
		Observe: func(call instantly.Call) { c.called(cfg.Name, call) },
	}
	if c.ReadOnly {
		o.RetryBudget = readOnlyRetries
	}
	return o, nil
}

func (c *Connections) called(workspace string, call instantly.Call) {
	if c.Called != nil {
		c.Called(workspace, call)
	}
	c.Log.Debug("api call", zap.String("workspace", workspace), zap.String("method", call.Method),
		zap.String("route", call.Route), zap.Int("status", call.Status), zap.Duration("took", call.Duration))
}
