package main

// daemonBugs are those of the daemon.
func daemonBugs() []bug {
	daemon := within("cmd/instantly-rotator/daemon")
	engine := within("rotator")
	return []bug{
		{"daemon: targets are reconciled before they are due", "./cmd/instantly-rotator/daemon Reason", edits{daemon("wake").replaces("return roundUp(at)", "return at.Add(-300 * time.Millisecond)")}},
		{"daemon: a stop before the first run hangs", "./cmd/instantly-rotator/daemon Stop", edits{daemon("dispatch").replaces("if ctx.Err() != nil { return } var batch", "var batch")}},
		{"daemon: a fleet is closed while it runs", "./cmd/instantly-rotator/daemon Fleet", edits{daemon("dispatch").replaces("f.hold(len(batch))", "f.hold(0)")}},
		{"daemon: a store that hangs holds up its workspace", "./cmd/instantly-rotator/daemon Hanging", edits{engine("poolOf").replaces("strings.Join(names,", "strings.Join(names[:0],")}},
	}
}
