package simulation

import (
	"errors"
	"fmt"
	"math"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
)

// adopt takes over what is in the target's primary store, as the command does, from outside
// of all processes: rightly, where the key list gives values, or wrongly, where somebody
// says of it that it is another key and nothing tells. What was taken over rightly is the
// rotator's from then on.
func (w *world) adopt(at *target, wrong bool) {
	primary := at.stores[0]
	if k := w.keys.of(primary.newest()); k == nil || !k.foreign {
		w.putByHand(at, 0, w.madeByHand(at).value)
	}
	k := w.keys.of(primary.newest())
	if k == nil || !k.foreign {
		return // nobody can put one there
	}
	defer w.listValues(sandbox.KeyFull)
	wish := rotator.Wish{}
	if wrong {
		w.listValues(sandbox.KeyMasked)
		wish = rotator.Wish{KeyID: w.foreign(at.workspace, "in use elsewhere").id, Word: true}
	}
	t := w.observed(at)
	t.Workspace = w.outside(at.workspace)
	w.adoptions++
	engine := rotator.New(rotator.Options{InTurn: true, Nonce: func() string { return fmt.Sprintf("adoption%08x", w.adoptions) }})
	p := engine.Propose(w.t.Context(), []rotator.Target{t}, map[string]rotator.Wish{t.Name: wish})[0]
	switch {
	case p.Adoption == nil:
		w.log("%s: %v", at.name, p.Err)
		return
	case rotator.IsRevocable(p.Adoption.How) && p.KeyID != k.id:
		w.violate("%s: key %d is shown to be another one, by %s", at.name, k.number, p.Adoption.How)
	case rotator.IsRevocable(p.Adoption.How):
		k.foreign, k.target = false, at.name
	}
	value := primary.newest()
	res := engine.Adopt(w.t.Context(), t, *p.Adoption)
	w.log("%s: key %d is adopted by %s: %v", at.name, k.number, p.Adoption.How, res.Err)
	for i := range at.stores {
		w.judgeStore(nil, w.index(at), i, "an adoption")
	}
	if primary.newest() != value || len(res.Revoked)+len(res.Swept)+len(res.Discarded) > 0 || res.Rotated {
		w.violate("%s: an adoption changed what consumers read, or ended a key", at.name)
	}
}

// listValues says how the key list gives values.
func (w *world) listValues(form sandbox.KeyForm) {
	f := w.box.Faults()
	f.ListKey = form
	w.box.SetFaults(f)
}

// outside is a workspace as it is reached without faults.
func (w *world) outside(i int) *rotator.Workspace {
	space := w.box.Workspaces()[i]
	client, err := instantly.NewClient(instantly.Options{
		BaseURL: "https://api.instantly.test", AdminKey: space.AdminKey, Transport: sandbox.Transport(w.box),
		Pacer: instantly.NewPacer(math.Inf(1)), RetryBudget: -1,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rotator.NewWorkspace(space.Name, apikeys.New(client), space.ID)
}

// isUpToPeople tells whether an error stays until somebody does something.
func isUpToPeople(err error) bool {
	return errors.Is(err, rotator.ErrByHand) || errors.Is(err, rotator.ErrRevokeByHand)
}
