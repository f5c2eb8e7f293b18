// Package config reads the configuration file: strictly, all mistakes at once,
// each with its place in the file. What it gives has every default applied and
// every reference checked, so that nobody else needs to know a default.
//
// It makes no network call, opens no store and reads no secret: admin keys and
// receivers' URLs are only ever referred to, see [SecretRef].
//
// In this package: load.go (the steps), form.go (the file as it is written),
// option.go (every option with its default and the reason), check_*.go (the
// rules), store.go and settings.go (stores of whatever kind), schema.go (for
// editors). What a kind of store has to be told, its package says: see
// [storekind.Kind].
package config

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// Config is a checked configuration.
type Config struct {
	// File is where it was read from, as it was named.
	File string
	// Owner is part of every key's name: [a-z0-9-], 1 to 40 characters.
	Owner string
	// Concurrency is how many targets of one workspace are rotated side by side, 1 to 64.
	Concurrency int
	// Resync is how often the daemon reads the state of every target; at least a second.
	Resync time.Duration
	// VerifyEvery is how often the daemon tests what consumers read; 0: never.
	VerifyEvery time.Duration
	// Lease is how much longer than the activation timeout a rotation is left to
	// the instance that started it; 0: not at all.
	Lease time.Duration
	// Workspaces by name.
	Workspaces map[string]Workspace
	// Stores by name.
	Stores map[string]Store
	// Sinks by name.
	Sinks map[string]Sink
	// Keys in the order of the file, after the admin keys that are rotated, and then the
	// secrets of webhooks; at least one.
	Keys []Key
	// Notify lists who is told what happened, in the order of the file; may be empty.
	Notify []Receiver
	Audit  Audit
	// Trail is where it is recorded what is done; nil if it is not.
	Trail *Trail
}

// Workspace is an Instantly workspace and how to talk to it.
type Workspace struct {
	Name string
	// AdminKey refers to the key that issues and revokes the others.
	AdminKey SecretRef
	// AdminTarget is the name of the target that keeps that key fresh; empty if none
	// does.
	AdminTarget string
	// OrganizationID is the only organization in which anything may be touched;
	// empty if the file does not pin one.
	OrganizationID string
	// BaseURL of the API without a trailing slash and without /api/v2; https
	// unless the host is loopback.
	BaseURL string
	// AsWorkspace is the id of the sub workspace to act in; empty if none.
	AsWorkspace string
	// RequestsPerSecond is the client's own limit, 0.1 to 100.
	RequestsPerSecond float64
	// Members are the addresses of who is in the workspace; nil if nobody said. Whoever
	// is on it and not in the workspace has left.
	Members []string
	// RotateWhenMemberLeft: the daemon replaces what they could know.
	RotateWhenMemberLeft bool
}

// SecretRef says where a secret is to be read from. Exactly one of Env, File
// and Store is set; Secret is set with Store. It never holds the secret itself.
type SecretRef struct {
	// Env is the name of an environment variable.
	Env string
	// File is the absolute path of a file.
	File string
	// Store is the name of one of the configuration's stores.
	Store string
	// Secret is the name of the secret in that store.
	Secret string
}

// Store is a place that keeps secrets.
type Store struct {
	Name string
	// Kind is the name of one of the kinds in package all.
	Kind string
	// Settings open the store's secrets.
	Settings storekind.Settings
}

// place names where a secret is kept: two that are the same are one secret.
func (s Store) place(secret string) string { return s.Kind + " " + s.Settings.Place(secret) }

// Key is one API key, or one secret of webhooks, to be kept fresh: a target of the engine.
type Key struct {
	// Name matches [a-z0-9][a-z0-9-]{0,62}; no two keys have the same.
	Name string
	// Workspace is the name of one of the configuration's workspaces.
	Workspace string
	// Admin: it is the admin key of that workspace, and of all that share it. It is issued
	// in the workspace's own name, as_workspace or not.
	Admin bool
	// Webhooks that send it, if it is a secret of webhooks, which has no scopes; nil for a key.
	Webhooks *Webhooks
	// Scopes wanted for the key, in "resource:action" form, in the order of the
	// file, none twice.
	Scopes []string
	// AllowCriticalScopes is why critical scopes are wanted; empty if none are.
	AllowCriticalScopes string
	// KnownTo are the addresses of the people who could know the key; empty and not nil if
	// nobody could, nil if nobody said.
	KnownTo []string
	// Stores that take the key, the primary first; at least one, none twice.
	Stores []StoreRef
	// Sinks that are given the key besides, none twice.
	Sinks []SinkRef
	// Schedule says when the key falls due, in its time zone.
	Schedule Schedule
	// Jitter is the most by which the key falls due later than the schedule says.
	Jitter time.Duration
	// Freeze says when no rotation starts by itself; nil: never.
	Freeze *Freeze
	// Group is the name of the group of keys that are kept apart, and Apart by how
	// much; empty and 0 if they are not.
	Group string
	Apart time.Duration
	// Grace is how long the old key stays alive; more than 0.
	Grace time.Duration
	// MaxAge is the age at which the key is due whatever the schedule says, but for never;
	// more than 0.
	MaxAge time.Duration
	// ActivationTimeout is how long a fresh key may take until its first valid
	// answer; more than 0, at most an hour.
	ActivationTimeout time.Duration
	// AfterPromote brings the consumers to a new key.
	AfterPromote []AfterPromote
	// RevocationTimeout is how long a revoked key may go on working; more than
	// 0, at most an hour.
	RevocationTimeout time.Duration
}

// StoreRef is one secret in one of the configuration's stores.
type StoreRef struct {
	Store  string
	Secret string
}
