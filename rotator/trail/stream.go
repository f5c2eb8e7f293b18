package trail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Kept is what a stream leaves behind for whoever goes on with it: the head that a file of
// the log would begin with now. Checkpoint and PublicKey are in it, and stand beside it for
// those who verify.
type Kept struct {
	Head, Checkpoint, PublicKey string
	// Revision is the shelf's: which state this is.
	Revision string
}

// ErrMoved: the shelf has another state than the one that was read.
var ErrMoved = errors.New("another process has written the trail meanwhile")

// Shelf keeps the state of a stream where no process can write over another's.
type Shelf interface {
	// Load gives the state; its Head is empty if the stream has not begun.
	Load(ctx context.Context) (Kept, error)
	// Swap puts a state in the place of the one with to.Revision, and gives it with its own.
	// It is [ErrMoved] if that is there no longer.
	Swap(ctx context.Context, to Kept) (Kept, error)
}

// StreamOptions of a stream. Out, Shelf and KeyFile are required.
type StreamOptions struct {
	// Out gets the lines: they are the record.
	Out   io.Writer
	Shelf Shelf
	// KeyFile has the signing key, as [MakeKey] writes it.
	KeyFile string
	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// IdleSync is how long after a line the state is kept all the same; 0: never.
	IdleSync time.Duration
}

// shelfTimeout bounds one call to the shelf.
const shelfTimeout = 10 * time.Second

// mostMoves is how often a state is written anew after others before it is given up.
const mostMoves = 5

// Stream is a log without a folder: see the package comment. It may be used by several
// goroutines, and several processes may have the same shelf.
type Stream struct {
	o StreamOptions

	mu     sync.Mutex
	by     note.Signer
	check  note.Verifier
	public string

	begun bool // the last line written belongs to a log that goes on from kept
	torn  bool // it has no end
	tree  tree
	kept  Kept
	tried []attempt
	idle  *time.Timer

	// A ticket stands for an entry whose number may still change.
	tickets, done int64           // the last given, the last that is kept
	loose         []looseEntry    // written, and not kept yet
	numbers       map[int64]int64 // of intents, by their tickets
	dropped       int
}

type looseEntry struct {
	ticket int64
	entry  Entry // Of is a ticket
}

// An attempt is a state of which it is not known whether the shelf has taken it.
type attempt struct {
	head   string
	ticket int64 // the last in it
}

// NewStream gives a stream. Nothing is read or written before the first entry.
func NewStream(o StreamOptions) *Stream {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Stream{o: o, numbers: map[int64]int64{}}
}

// Append writes an entry, and gives the number by which its outcome names it: the log's own
// may change until it is kept. With durable the shelf knows of it when Append comes back,
// and of all that was written before. On an error it does not become part of the log,
// unless the shelf took it and could not say so.
func (s *Stream) Append(e Entry, durable bool) (int64, error) {
	ticket, err := s.append(e)
	if err == nil && durable {
		err = s.keep(ticket) // who waited meanwhile is kept with it
	}
	if err != nil {
		return 0, unwritable(err)
	}
	return ticket, nil
}

// Tell writes an entry that must not get lost, but that nothing waits for: see [Log.Tell].
func (s *Stream) Tell(e Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = s.o.Now()
	}
	err := s.begin()
	if len(s.loose) >= mostKept {
		s.dropped++
		return unwritable(errors.Join(err, errors.New("too much waits for it")))
	}
	x := s.ticket(e)
	if err == nil {
		err = s.put(x)
	}
	s.loose = append(s.loose, x) // begin writes it again
	s.syncWhenIdle()
	if err != nil {
		return unwritable(err)
	}
	return nil
}

// Sync has all that was written kept, under a checkpoint.
func (s *Stream) Sync() error {
	s.mu.Lock()
	last := s.tickets
	waits := len(s.loose) > 0
	s.mu.Unlock()
	if !waits {
		return nil
	}
	if err := s.keep(last); err != nil {
		return unwritable(err)
	}
	return nil
}

// Close syncs the stream.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.idle != nil {
		s.idle.Stop()
	}
	s.mu.Unlock()
	return s.Sync()
}

func (s *Stream) append(e Entry) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Time.IsZero() {
		e.Time = s.o.Now()
	}
	if err := s.begin(); err != nil {
		return 0, err
	}
	x := s.ticket(e)
	if err := s.put(x); err != nil {
		return 0, err
	}
	s.loose = append(s.loose, x)
	s.syncWhenIdle()
	return x.ticket, nil
}

func (s *Stream) ticket(e Entry) looseEntry {
	s.tickets++
	return looseEntry{s.tickets, e}
}

// syncWhenIdle has what was written kept soon, if nobody does before.
func (s *Stream) syncWhenIdle() {
	switch {
	case s.o.IdleSync == 0:
	case s.idle == nil:
		s.idle = time.AfterFunc(s.o.IdleSync, func() { _ = s.Sync() }) // a failure shows at the next intent
	default:
		s.idle.Reset(s.o.IdleSync)
	}
}

// begin goes on from what the shelf has, if that is not what is being done: with its head,
// and with all again that is not kept.
func (s *Stream) begin() error {
	if s.begun {
		return nil
	}
	if err := s.open(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), shelfTimeout)
	defer cancel()
	kept, err := s.o.Shelf.Load(ctx)
	if err != nil {
		return err
	}
	t, head, err := s.from(kept)
	if err != nil {
		return err
	}
	s.recognize(kept)
	if err := s.print([]byte(head)); err != nil {
		return err
	}
	s.tree, s.kept, s.begun = t, kept, true
	if t.size == 0 {
		if err := s.put(looseEntry{entry: Entry{Time: s.o.Now(), Kind: Event, What: What{Verb: "begin"}, Why: "the trail begins; it is verified with " + s.public}}); err != nil {
			return err
		}
	}
	if s.dropped > 0 {
		s.loose = append(s.loose, s.ticket(Entry{Time: s.o.Now(), Kind: Event, What: What{Verb: "lost"}, Why: fmt.Sprintf("%d outcomes could not be written, and there was no room to keep them", s.dropped)}))
		s.dropped = 0
	}
	for _, x := range s.loose {
		if err := s.put(x); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) open() (err error) {
	if s.by != nil {
		return nil
	}
	by, public, err := signerAt(s.o.KeyFile)
	if err != nil {
		return err
	}
	if s.check, err = note.NewVerifier(public); err != nil {
		return fmt.Errorf("the trail's public key: %w", err)
	}
	s.by, s.public = by, public
	return nil
}

// from gives the tree that a state tells of, and its head.
func (s *Stream) from(kept Kept) (tree, string, error) {
	if kept.Head != "" {
		t, err := treeOf([]byte(kept.Head), s.check)
		if err != nil {
			return tree{}, "", fmt.Errorf("%w: what was kept of it: %w", ErrDamaged, err)
		}
		return t, kept.Head, nil
	}
	var t tree
	cp, err := sign(&t, s.by)
	if err != nil {
		return tree{}, "", err
	}
	head, err := headLine(&t, cp, s.public)
	return t, string(head), err
}

// recognize finds out whether the shelf took a state that it did not say it took.
func (s *Stream) recognize(kept Kept) {
	for _, a := range s.tried {
		if a.head == kept.Head {
			s.took(a.ticket)
		}
	}
	if kept.Revision != s.kept.Revision {
		s.tried = nil // none of them can come to be any more
	}
}

// took notes that all up to a ticket is kept.
func (s *Stream) took(ticket int64) {
	s.done = max(s.done, ticket)
	for len(s.loose) > 0 && s.loose[0].ticket <= ticket {
		delete(s.numbers, s.loose[0].entry.Of) // an intent has one outcome
		s.loose = s.loose[1:]
	}
}

// put writes one entry behind the last.
func (s *Stream) put(x looseEntry) error {
	e := x.entry
	e.Time = e.Time.UTC()
	e.Seq, e.Prev = s.tree.size, s.tree.prev()
	if e.Of != 0 {
		e.Of = s.numbers[e.Of]
	}
	line, err := e.line()
	if err != nil {
		return err
	}
	grown := s.tree
	if err := grown.add(recordHash(line)); err != nil {
		return err
	}
	if err := s.print(line); err != nil {
		return err
	}
	s.tree = grown
	if e.Kind == Intent {
		s.numbers[x.ticket] = e.Seq
	}
	return nil
}

// print writes a line. One that was cut off cannot be taken back: what follows begins anew.
func (s *Stream) print(line []byte) error {
	line = append(line, '\n')
	if s.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := s.o.Out.Write(line)
	if err != nil {
		s.torn, s.begun = s.torn || n > 0, false
		return err
	}
	s.torn = false
	return nil
}

// keep has the shelf know of all that was written, up to a ticket at least. The entry of
// that ticket is not part of the log if it cannot.
func (s *Stream) keep(ticket int64) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range mostMoves {
		if err = s.begin(); err != nil {
			break
		}
		if s.done >= ticket {
			return nil
		}
		if err = s.swap(); err == nil || !errors.Is(err, ErrMoved) {
			break
		}
	}
	if err != nil {
		s.withdraw(ticket)
	}
	return err
}

// swap has the shelf take what was written; only then does a checkpoint stand behind it.
func (s *Stream) swap() error {
	cp, err := sign(&s.tree, s.by)
	if err != nil {
		return err
	}
	head, err := headLine(&s.tree, cp, s.public)
	if err != nil {
		return err
	}
	line, err := checkpointLine(cp)
	if err != nil {
		return err
	}
	last := s.loose[len(s.loose)-1].ticket
	ctx, cancel := context.WithTimeout(context.Background(), shelfTimeout)
	defer cancel()
	kept, err := s.o.Shelf.Swap(ctx, Kept{Head: string(head), Checkpoint: cp.Text, PublicKey: s.public, Revision: s.kept.Revision})
	if err != nil {
		s.tried, s.begun = append(s.tried, attempt{string(head), last}), false
		return err
	}
	s.kept, s.tried = kept, nil
	s.took(last)
	_ = s.print(line) // the head that follows has it too
	return nil
}

// withdraw gives an intent up that cannot be kept: its effect does not happen. An outcome
// stays.
func (s *Stream) withdraw(ticket int64) {
	for i, x := range s.loose {
		if x.ticket == ticket && x.entry.Kind == Intent {
			s.loose = append(s.loose[:i:i], s.loose[i+1:]...)
			s.begun = false
			return
		}
	}
}
