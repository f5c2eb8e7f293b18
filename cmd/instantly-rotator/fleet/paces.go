package fleet

import (
	"sync"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// Paces keep to what may be sent to each workspace, whoever sends it: Instantly counts by
// the workspace. The zero value is ready to use; all connections that a process has at a
// time share one.
type Paces struct {
	mu sync.Mutex
	by map[string]pace // by the workspace's name
}

// pace is kept to for as long as the configuration says the same.
type pace struct {
	perSecond float64
	pacer     *instantly.Pacer
}

// of gives what a workspace's clients share. After the configuration changed it is another
// one: what was begun before ends with that of before.
func (p *Paces) of(ws config.Workspace) *instantly.Pacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, ok := p.by[ws.Name]
	if !ok || kept.perSecond != ws.RequestsPerSecond {
		if p.by == nil {
			p.by = map[string]pace{}
		}
		kept = pace{ws.RequestsPerSecond, instantly.NewPacer(ws.RequestsPerSecond)}
		p.by[ws.Name] = kept
	}
	return kept.pacer
}
