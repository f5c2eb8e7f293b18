//go:build linux

// The points are reached with inotify(7), which is Linux's.

package main_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/gofrs/flock"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
)

// A crashPoint is a place where the rotator is killed. It is reached from
// outside: the rotator waits there, either for the answer to a call that is held
// up, or for a store's lock, which the test took while the call before it was
// held up. So it is known to be there, however slow the machine is.
type crashPoint struct {
	name string
	// before is what was done already when the run to be killed begins.
	before func(*lab)
	args   []string

	// The call that is held up: the nth of its route in this run, before its
	// effect or after.
	route string
	nth   int
	after bool
	// lock is the store at whose lock the rotator is killed, once it was let out
	// of that call; empty: it is killed in the call.
	lock string

	// current tells what must be current in a and b after the kill: "old" or
	// "new"; "old old" if empty.
	current string
	// alive is how many keys of ours are alive after the kill.
	alive int
}

// rotation are the points on the way to a new key.
func rotation() []crashPoint {
	points := []crashPoint{
		{name: "before the key list", route: routeList, nth: 1, alive: 1},
		{name: "key list read, stores not yet read", route: routeList, nth: 1, after: true, alive: 1},
		{name: "before the check of the admin key", route: routeDelete, nth: 1, alive: 1},
		{name: "after the checks, before reserve", route: routeDelete, nth: 1, after: true, lock: "a", alive: 1},
		{name: "after reserve, before create", route: routeCreate, nth: 1, alive: 1},
		{name: "created, the answer not read", route: routeCreate, nth: 1, after: true, alive: 2},
		{name: "before try", route: routeProbe, nth: 1, alive: 2},
		{name: "after try, before stage", route: routeProbe, nth: 1, after: true, lock: "a", alive: 2},
		{name: "after stage, before verify", route: routeProbe, nth: 2, alive: 2},
		{name: "after verify, before promote", route: routeProbe, nth: 2, after: true, lock: "a", alive: 2},
		{name: "after promote, before the follower's stage", route: routeProbe, nth: 2, after: true, lock: "b", current: "new old", alive: 2},
	}
	for i := range points {
		points[i].args = []string{"rotate"}
	}
	return points
}

// delivery are the points in the store that follows, after its stage.
func delivery() []crashPoint {
	points := []crashPoint{
		{name: "follower staged, before its verify", route: routeProbe, nth: 1, current: "new old", alive: 2},
		{name: "follower verified, before its promote", route: routeProbe, nth: 1, after: true, lock: "b", current: "new old", alive: 2},
	}
	for i := range points {
		points[i].args, points[i].before = []string{"rotate", "--due"}, stagedInFollower
	}
	return points
}

// retirement are the points on the way out of the old key.
func retirement() []crashPoint {
	points := []crashPoint{
		{name: "grace over, before the last verification", route: routeProbe, nth: 1, alive: 2},
		{name: "verified, before delete", route: routeDelete, nth: 1, alive: 2},
		{name: "deleted, the answer lost", route: routeDelete, nth: 1, after: true, alive: 1},
		{name: "deleted, before the list that shows it", route: routeList, nth: 2, alive: 1},
		{name: "before the proof", route: routeProbe, nth: 2, alive: 1},
		{name: "proven, before destroy in the follower", route: routeProbe, nth: 2, after: true, lock: "b", alive: 1},
		{name: "between the two destroys", route: routeProbe, nth: 2, after: true, lock: "a", alive: 1},
	}
	for i := range points {
		points[i].args, points[i].current = []string{"rotate", "--due", "--end-grace"}, "new new"
		points[i].before = func(l *lab) { l.mustRun("rotate") }
	}
	return points
}

// stagedInFollower brings the lab to where the primary has promoted the new key
// and the follower has it as pending: killed before the follower's stage, which
// is then done as the rotator does it.
func stagedInFollower(l *lab) {
	l.Helper()
	points := rotation()
	l.killAt(points[len(points)-1])
	a, b := l.open("a"), l.open("b")
	primary, err := a.Describe(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	current := primary.Versions[secretstore.Current]
	value, err := a.Read(l.Context(), current.ID)
	if err != nil {
		l.Fatal(err)
	}
	follower, err := b.Describe(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	copied := secretstore.Version{ID: current.ID, Intent: current.Intent, Account: current.Account}
	if _, err := b.Stage(l.Context(), follower, copied, value); err != nil {
		l.Fatal(err)
	}
}

// open opens a store of the lab as the rotator does.
func (l *lab) open(store string) secretstore.Store {
	l.Helper()
	s, err := filestore.Open(filestore.Options{Dir: l.folder(store), Identity: filepath.Join(l.dir, store, "identity")})
	if err != nil {
		l.Fatal(err)
	}
	return s
}

func TestCrashAtEveryNamedPointIsMadeGood(t *testing.T) {
	points := slices.Concat(rotation(), delivery(), retirement())
	var table crashTable
	t.Cleanup(func() { t.Log(table.String()) })
	for i, p := range points {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			runs := crashAt(t, p)
			table.add(i, p.name, runs)
		})
	}
}

// crashAt kills a run at the point, lets the next runs make it good, and gives
// how many that took.
func crashAt(t *testing.T, p crashPoint) (runs int) {
	l := newLab(t, "grace_period: 1h")
	old := l.status().Targets[0].KeyID
	if p.before != nil {
		p.before(l)
	}
	l.killAt(p)
	l.wantConsumersServed("at the kill")
	l.wantCurrent(p, old)
	l.wantOursAlive(p.alive)
	if !slices.Contains(p.args, "--end-grace") {
		l.wantOldKeyKept(old)
		runs++
	}
	runs += l.settle()
	l.wantNothingLeftBehind()
	return runs
}

// killAt runs the rotator to the point and kills it there.
func (l *lab) killAt(p crashPoint) {
	l.Helper()
	held := l.gate.holdUp(p.route, p.nth, p.after)
	run := l.start(p.args...)
	l.await(held, run)
	if p.lock == "" {
		run.kill()
		held.drop()
		return
	}
	lock := l.lockStore(p.lock)
	held.release()
	lock.awaitVisitor()
	run.kill()
	lock.free()
}

// wantCurrent wants the kill to have left the versions that the point names.
func (l *lab) wantCurrent(p crashPoint, old string) {
	l.Helper()
	stores := l.status().Targets[0].Stores
	for i, want := range strings.Fields(cmp.Or(p.current, "old old")) {
		if st := stores[i]; (st.Current == old) != (want == "old") {
			l.Errorf("killed elsewhere: store %s has %+v, want the %s key current (the old one is %s)", st.Store, st, want, old)
		}
	}
}

// wantOursAlive wants so many keys of ours alive at the kill.
func (l *lab) wantOursAlive(n int) {
	l.Helper()
	keys, err := l.box.living()
	if err != nil {
		l.Fatal(err)
	}
	if got := len(keys) - 2; got != n { // the admin's and the foreign one
		l.Errorf("killed elsewhere: %d keys of ours are alive, want %d: %+v", got, n, keys)
	}
}

// wantOldKeyKept lets a run go on without ending the grace period: the recovery
// from a crash must not revoke the old key.
func (l *lab) wantOldKeyKept(old string) {
	l.Helper()
	l.mustRun("rotate", "--due", "--force")
	if !l.isAlive(old) {
		l.Errorf("the recovery revoked the old key %s in its grace period", old)
	}
}

// A heldLock is a store's lock in the hands of the test.
type heldLock struct {
	*lab
	lock    *flock.Flock
	visitor *os.File // inotify(7): tells who opens the lock's file
}

// lockStore takes the lock of a store and waits for others that want it.
func (l *lab) lockStore(store string) *heldLock {
	l.Helper()
	path := filepath.Join(l.folder(store), "lock")
	h := &heldLock{lab: l, lock: flock.New(path)}
	if got, err := h.lock.TryLock(); err != nil || !got {
		l.Fatalf("the lock of store %s cannot be had: %v", store, err)
	}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		l.Fatal(err)
	}
	h.visitor = os.NewFile(uintptr(fd), "inotify")
	l.Cleanup(h.free)
	if _, err := syscall.InotifyAddWatch(fd, path, syscall.IN_OPEN); err != nil {
		l.Fatal(err)
	}
	return h
}

// awaitVisitor waits until another process has opened the lock's file: it is
// about to write and waits for the lock.
func (h *heldLock) awaitVisitor() {
	h.Helper()
	if err := h.visitor.SetReadDeadline(time.Now().Add(waitLimit)); err != nil {
		h.Fatal(err)
	}
	var event [syscall.SizeofInotifyEvent]byte
	if _, err := h.visitor.Read(event[:]); err != nil {
		h.Fatalf("nobody came to the lock: %v", err)
	}
	if mask := binary.NativeEndian.Uint32(event[4:]); mask&syscall.IN_OPEN == 0 {
		h.Fatalf("inotify tells %#x", mask)
	}
}

func (h *heldLock) free() {
	_ = h.lock.Unlock()
	_ = h.visitor.Close()
}

// A crashTable is what the test tells in the end.
type crashTable struct {
	mu   sync.Mutex
	rows []crashRow
}

type crashRow struct {
	order int
	point string
	runs  int
}

func (t *crashTable) add(order int, point string, runs int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, crashRow{order, point, runs})
}

// String gives the table in the order of a key's life.
func (t *crashTable) String() string {
	slices.SortFunc(t.rows, func(a, b crashRow) int { return cmp.Compare(a.order, b.order) })
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSIGKILL\trecovered in")
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%d run(s)\n", r.point, r.runs)
	}
	_ = w.Flush()
	return b.String()
}
