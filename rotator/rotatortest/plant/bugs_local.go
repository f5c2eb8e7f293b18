package main

// localBugs are those of the local store.
func localBugs() []bug {
	store := within("secretstore/filestore")
	const (
		tests = "./secretstore/filestore ."
	)
	return []bug{
		{"local: writes without the lock", tests, edits{store("lock").replaces("_, err = l.TryLockContext(ctx, lockPoll)", "_ = l")}},
		{"local: writes without comparing", tests, edits{store("write").replaces("if now := st.snapshot(); now.Identity != seen.Identity || now.Revision != seen.Revision {", "if now := st.snapshot(); now.Identity != seen.Identity {")}},
		{"local: the document is not on disk yet when a write succeeds", tests, edits{store("put").replaces(`failed("store the state", s.disk.SyncFolder(s.dir))`, "nil")}},
	}
}
