package main

// localBugs are those of the local store.
func localBugs() []bug {
	store, document := within("secretstore/filestore"), within("secretstore/document")
	const (
		tests       = "./secretstore/filestore ."
		transitions = "./secretstore/document ."
	)
	return []bug{
		{"local: an old key is put out of the store's sight", "./cmd/instantly-rotator TestScripts/put_grace", edits{within("cmd/instantly-rotator")("app.putInto").never(`forgotten != "" && !f.forgetOld`)}},
		{"local: writes without the lock", tests, edits{store("lock").replaces("_, err = l.TryLockContext(ctx, lockPoll)", "_ = l")}},
		{"local: writes without comparing", tests, edits{store("write").replaces("if now := st.snapshot(); now.Identity != seen.Identity || now.Revision != seen.Revision {", "if now := st.snapshot(); now.Identity != seen.Identity {")}},
		{"local: the document is not on disk yet when a write succeeds", tests, edits{store("put").replaces(`failed("store the state", self.disk.SyncFolder(self.dir))`, "nil")}},
		{"local: a state that was lost is begun anew", tests, edits{store("make").never("self.isMarked()")}},
		{"document: a promotion pushes the previous version out", transitions, edits{document("displace").replaces("stands || !had", "stands && !had")}},
		{"document: a current version destroyed", transitions, edits{document("Destroy").never("v.Stage == secretstore.Current")}},
		{"document: a current version staged again", transitions, edits{document("CheckStage").never("v.Stage != secretstore.Pending")}},
		{"document: a promotion made earlier", transitions, edits{document("Document.Promote").replaces("!v.Promoted.Before(at)", "v.Promoted.Equal(at)")}},
		{"document: an intent left by what fulfils it", transitions, edits{document("Document.Stage").drops("self.Intent = secretstore.Intent{}")}},
		{"document: two versions on a stage believed", "./secretstore/filestore State", edits{document("Checked").never("stages[v.Stage]")}},
	}
}
