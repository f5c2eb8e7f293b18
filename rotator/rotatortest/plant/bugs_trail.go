package main

// trailBugs are those of the record of what is done.
func trailBugs() []bug {
	engine, trail, recorder := within("rotator"), within("rotator/trail"), within("cmd/instantly-rotator/recorder")
	binary := within("cmd/instantly-rotator")
	return []bug{
		{"trail: what cannot be recorded is done", "./rotator WithoutAnIntent", edits{engine("intend").replaces(`return nothing, fmt.Errorf("%w: %w", ErrTrail, err)`, "return nothing, nil")}},
		{"trail: exec hands a key out without a line", "./cmd/instantly-rotator TestScripts/trail$", edits{binary("app.exec").replaces("err := keys.record(ids); err != nil", "false")}},
		{"trail: a step that was made is told as one that failed", "./rotator TheTrailTells", edits{engine("attempt").replaces("done(notMade(err))", "done(err)")}},
		{"trail: a key in hand waits for the trail", "./rotator FullTrail", edits{engine("endsHand").returns("false")}},
		{"trail: an outcome that cannot be written is dropped", "./rotator/trail KeptUntil", edits{trail("Log.Tell").replaces("len(self.kept) < mostKept", "false")}},
		{"trail: a line that was cut off stays", "./rotator/trail CutOffLine", edits{trail("Log.recover").always("cut == 0")}},
		{"trail: an effect does not wait for the shelf", "./rotator/trail RunThatIsKilled", edits{trail("Stream.Append").replaces("err == nil && durable", "false")}},
		{"trail: two pods fork the chain", "./cmd/instantly-rotator/recorder ConfigMapTakesNoState", edits{recorder("ConfigMap.Swap").replaces("to.Revision", `""`)}},
	}
}
