// Package simulation lets the real engine live for months of virtual time in
// worlds where everything goes wrong: worlds of targets, stores and instances
// that are drawn from a seed, with an adversary who injects faults into the outside calls.
//
// A world is the sandbox's Instantly, reached through the real client without
// sockets; secrets in stores of all kinds; one to three processes that reconcile
// what is due; and consumers that read a key and keep it for as long as they may. In one
// of six worlds the admin key of the first workspace is a target too, and what the
// processes act with. In another one of six a target's secret is sent by webhooks: to
// receivers that read the stores late, or not at all for a while, and have deliveries refused
// then; the judge looks at what would become of a delivery at any instant. And in another one
// of six a target's key is given to sinks, which fail, and which people change. In one of seven
// old keys wait for gates: for consumers who read the stores when they are restarted only, or
// seldom.
// A [Plan] says who lives there and which [Fault] is injected into which call. After
// every effect a judge checks the world from the outside, by the design's
// rules: at what consumers read, which keys live, and who refers to them. When
// the adversary rests, the world must settle.
//
// Worlds are deterministic: a world lives in a bubble of testing/synctest, and
// its outside calls take place one at a time, in an order that the seed decides.
// So a world that breaks a rule is replayed from its seed, and [Shrink] takes
// away from its plan what is not needed to break it.
package simulation
