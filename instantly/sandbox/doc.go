// Package sandbox is a stateful Instantly API server for tests, demonstrations
// and for trying out a configuration without an account. It keeps keys,
// workspaces, members, webhooks, block lists and audit logs, enforces scopes and
// rate limits, delivers events to webhooks ([Server.Emit]), and has switches for
// whatever is known to go wrong, or is not known at all, on the way to the vendor's
// API.
//
// It is an independent reading of the vendor's OpenAPI file, of the vendor's
// documents and of answers that people have published. Where those are silent
// the comments say "undocumented" and the sandbox takes the reading that is
// harder on a client, or offers both behind a switch.
//
// Three things make it fail on purpose. [Faults] are standing switches that
// hold until they are set anew. A [Rule] injects a fault into chosen calls, before or
// after their effect. [Server.DeleteKey], [Server.AddKey], [Server.RemoveMember],
// [Server.ChangeWebhook] and their like are the people who work in the vendor's web
// application meanwhile, and [Server.PlantEntry] is what they did in the audit log.
// Nearly all of it can be had in Go and, below /_sandbox/, over HTTP.
//
// The sandbox holds no real secret: its key values open nothing but itself.
package sandbox
