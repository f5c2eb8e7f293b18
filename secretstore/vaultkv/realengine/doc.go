// Package realengine shows package vaultkv on HashiCorp's own KV engine, of which the
// stand-in in package vaulttest is only a reading. It is a module of its own, so that
// Vault's SDK is no dependency of the rotator; serve/ lets others have the engine, as a
// process.
package realengine
