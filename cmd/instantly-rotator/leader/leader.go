// Package leader lets one of several instances work while the others stand by.
//
// # Why not client-go's leaderelection
//
// It links every type that Kubernetes has, whatever lock it is given. And a
// leader that is cut off tells its work to stop only after it has tried for
// another renew deadline to give the Lease up, which with the usual durations is
// after the Lease expired. What is written into the Lease is the same, so that
// kubectl and client-go read it alike.
//
// # What it does not do
//
// An election does not fence: a process that was stopped for longer than the
// Lease lasts may take one more step when it goes on, while another one leads. So
// each write has to be guarded by what it was decided on, as the stores' writes
// are.
//
// In this package: leader.go (the contract), term.go (from winning to giving up),
// lease.go (one Lease, and when it may be taken), cluster.go (the calls).
package leader

import "context"

// Election says which instance works.
type Election interface {
	// Lead runs f while this instance leads, once for each time that it was
	// elected. The ctx of f ends when ctx does, and when the lead can no longer be
	// shown to be held: before any other instance may be elected. While f comes to
	// its end the lead is kept if that is possible, so that no other instance
	// begins meanwhile, and then it is given up. Lead returns when ctx has ended
	// and f has.
	Lead(ctx context.Context, f func(ctx context.Context))
}

// Alone is the election with one instance in it.
type Alone struct{}

// Lead implements [Election].
func (Alone) Lead(ctx context.Context, f func(context.Context)) { f(ctx) }
