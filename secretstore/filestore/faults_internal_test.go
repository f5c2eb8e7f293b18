package filestore

import (
	"errors"
	"os"
	"path/filepath"
)

// quickDisk is realDisk without its waiting: these tests simulate what a disk
// has and has not kept, and thousands of syncs would prove nothing more.
type quickDisk struct{ realDisk }

func (quickDisk) MakeFolder(path string) error { return os.MkdirAll(path, 0o700) }

func (quickDisk) Create(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func (quickDisk) Replace(path string, content []byte) error {
	temp := unfinished(path)
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func (quickDisk) SyncFolder(path string) error {
	_, err := os.Stat(path)
	return err
}

// fault is what happens to a store at one of its effects on the disk.
type fault struct {
	name string
	// refusal, if set, is the disk's answer instead of the effect; the process
	// lives on. Otherwise the process dies.
	refusal error
	// half leaves the effect half done, after does it whole before the death.
	half, after bool
}

// deaths are the ways in which a process can die at an effect.
func deaths() []fault {
	return []fault{{name: "before"}, {name: "half way", half: true}, {name: "after", after: true}}
}

var errDead = errors.New("the process is dead")

// faultyDisk is a disk until the effect number at, counted from 1.
type faultyDisk struct {
	quickDisk
	at      int
	how     fault
	effects int
	dead    bool
}

// arm counts anew and injects the fault at the effect number at.
func (d *faultyDisk) arm(at int, how fault) { d.at, d.how, d.effects = at, how, 0 }

func (d *faultyDisk) effect(whole, half func() error) error {
	if d.dead {
		return errDead
	}
	d.effects++
	if d.effects != d.at {
		return whole()
	}
	if d.how.refusal != nil {
		return d.how.refusal
	}
	d.dead = true
	switch {
	case d.how.half:
		return errors.Join(half(), errDead)
	case d.how.after:
		return errors.Join(whole(), errDead)
	default:
		return errDead
	}
}

func nothing() error { return nil }

func (d *faultyDisk) MakeFolder(path string) error {
	return d.effect(func() error { return d.quickDisk.MakeFolder(path) }, nothing)
}

func (d *faultyDisk) Create(path string, content []byte) error {
	return d.effect(
		func() error { return d.quickDisk.Create(path, content) },
		func() error { return os.WriteFile(path, content[:len(content)/2], 0o600) })
}

func (d *faultyDisk) Replace(path string, content []byte) error {
	return d.effect(
		func() error { return d.quickDisk.Replace(path, content) },
		func() error { return os.WriteFile(unfinished(path), content[:len(content)/2], 0o600) })
}

func (d *faultyDisk) Link(from, to string) error {
	return d.effect(func() error { return d.quickDisk.Link(from, to) }, nothing)
}

func (d *faultyDisk) Remove(path string) error {
	return d.effect(func() error { return d.quickDisk.Remove(path) }, nothing)
}

func (d *faultyDisk) SyncFolder(path string) error {
	return d.effect(func() error { return d.quickDisk.SyncFolder(path) }, nothing)
}

// event is one effect in a folder. Content is on disk with the event; the name
// is only after the next sync of the folder.
type event struct {
	op, name string
	content  []byte
}

// recordingDisk is a disk and a log of what happens in one folder.
type recordingDisk struct {
	quickDisk
	log *[]event
	// dieAfter is the op after which the process is dead; "" for none.
	dieAfter string
	dead     bool
}

func (d *recordingDisk) record(op, path string, content []byte, effect func() error) error {
	if d.dead {
		return errDead
	}
	if err := effect(); err != nil {
		return err
	}
	*d.log = append(*d.log, event{op: op, name: filepath.Base(path), content: content})
	if op == d.dieAfter {
		d.dead = true
		return errDead
	}
	return nil
}

func (d *recordingDisk) Create(path string, content []byte) error {
	return d.record("put", path, content, func() error { return d.quickDisk.Create(path, content) })
}

func (d *recordingDisk) Replace(path string, content []byte) error {
	return d.record("replace", path, content, func() error { return d.quickDisk.Replace(path, content) })
}

func (d *recordingDisk) Remove(path string) error {
	return d.record("remove", path, nil, func() error { return d.quickDisk.Remove(path) })
}

func (d *recordingDisk) SyncFolder(path string) error {
	return d.record("sync", path, nil, func() error { return d.quickDisk.SyncFolder(path) })
}
