package status

import (
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// HeldKey is a version in the primary store, with what is noted down about it.
type HeldKey struct {
	ID    string
	Stage secretstore.Stage
	// Ours: the rotator put it there, else the id names no key.
	Ours bool
	// Spec is what it was issued for.
	Spec string
	// Issued is when the rotation began that made it, Promoted when it became current.
	Issued, Promoted *time.Time
}

// heldBy lists the versions of the primary store, in the order of a version's life.
func heldBy(o rotator.TargetStatus) (all []HeldKey) {
	if len(o.Stores) == 0 {
		return nil
	}
	for _, stage := range secretstore.Stages() {
		ver, ok := o.Stores[0].Versions[stage]
		if !ok {
			continue
		}
		all = append(all, HeldKey{
			ID: ver.ID, Stage: stage, Ours: !ver.Foreign, Spec: string(ver.Intent.Spec),
			Issued: humantime.Optional(ver.Intent.At), Promoted: humantime.Optional(ver.Promoted),
		})
	}
	return all
}
