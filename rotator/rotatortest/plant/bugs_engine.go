package main

// engineBugs are those of the engine.
func engineBugs() []bug {
	engine := within("rotator")
	const (
		tests = "./rotator ."
	)
	return []bug{
		{"no grace", tests, edits{engine("inGrace").returns("false")}},
		{"grace counted from creation", tests, edits{engine("graceEnd").replaces("cur.Promoted.Add(grace)", "cur.Intent.At.Add(grace)")}},
		{"grace counted from promotion in the first store", tests, edits{engine("graceEnd").replaces("range v.Stores", "range v.Stores[:1]")}},
		{"no sweep", tests, edits{engine("decide").drops("(*view).sweep,")}},
		{"sweep without the store's fingerprint", tests, edits{engine("orphans").replaces("for _, id := range v.Named[fingerprint(st.Identity)]", "_ = st; for id := range v.Keys")}},
		{"sweep of a foreign key", tests, edits{
			engine("isOrphan").never("!ok"),
			engine("isOrphan").never("name.Owner"),
			engine("orphans").replaces("for _, id := range v.Named[fingerprint(st.Identity)]", "_ = st; for id := range v.Keys"),
		}},
		{"a look made beside the list counts as newer", tests, edits{engine("takeStock").replaces("w.lookAsOf(ctx, at)", "w.lookAsOf(ctx, at+100)")}},
		{"sweep on a look older than the list", tests, edits{engine("view.sweep").never("v.seenSince(v.Listed)")}},
		{"revoke at promotion", tests, edits{engine("promote").replaces("w.Rotated = true", `w.Rotated = true
			if old, ok := w.primary().Versions[secretstore.Previous]; ok {
				return w.deleteKey(ctx, old.ID)
			}`)}},
		{"revoke without a last verification", tests, edits{engine("retireOne").never("v.confirmCurrent()")}},
		{"revoke while current in a follower", tests, edits{engine("retire").never("v.inUse(old)")}},
		{"promote without verify", tests, edits{engine("verifyAndPromote").replaces("Verb: Verify", "Verb: Promote")}},
		{"stage untested", tests, edits{engine("inHand").replaces("Verb: Try, Store: inMemory", "Verb: Stage, Store: 0")}},
		{"indeterminate taken for invalid", tests, edits{engine("isInvalid").replaces("== instantly.Invalid", "!= instantly.Valid")}},
		{"issue without reserve", tests, edits{engine("reserve").replaces("if err := w.annotate(ctx, notes); err != nil { w.Vain = notes.Intent.Nonce; return err }", "w.Stores[0].Notes = notes")}},
		{"promote forgets the living current key", tests, edits{engine("mayDisplace").always("v.dead()")}},
		{"discard revokes before the store lets go", tests, edits{engine("discard").replaces("if s.Store != inMemory {", "_ = w.deleteKey(ctx, s.ID); if s.Store != inMemory {")}},
		{"the organization is not looked at", tests, edits{engine("whose").always("org == w.organization")}},
		{"destroy before the proof", tests, edits{engine("proveStep").replaces("Verb: Prove", "Verb: Destroy")}},
		{"sweep of a key that a version of unknown origin may hold", tests, edits{engine("view.sweep").never("v.mayHoldUnnamed()")}},
		{"a key in hand that a store may have without a record is given up", tests, edits{engine("outrun").never("v.mayHoldUnnamed()")}},
		{"a key that a clock ahead made is never young", tests, edits{engine("young").replaces("made.Add(-clockMargin)", "made")}},
		{"a dead key in a store that follows a value of unknown origin is left there", tests, edits{engine("due").never("v.followerDead()")}},
		{"the time of a late promotion stands if its answer is lost", tests, edits{engine("promoteWithin").replaces("if w.wallClock().Sub(begun) > bound", "if err == nil && w.wallClock().Sub(begun) > bound")}},
		{"a failed reservation is a reason to rotate later", tests, edits{engine("recordFailure").never("notes.Intent.Nonce == w.Vain")}},
		{"an intent begun in vain stands", tests, edits{engine("standBack").never("v.Vain == v.primary().Notes.Intent.Nonce")}},
		{"a hold set after the intent is not obeyed", tests, edits{engine("begin").always("v.heldBack()")}},
		{"a store that follows is looked at after the primary", tests, edits{
			engine("lookAsOf").replaces(`var wg sync.WaitGroup
	for i := 1; i < len(w.Stores); i++ {`, `w.lookAt(ctx, 0, at)
	var wg sync.WaitGroup
	for i := 1; i < len(w.Stores); i++ {`),
			engine("lookAsOf").replaces(`wg.Wait()
	w.lookAt(ctx, 0, at)`, "wg.Wait()"),
		}},
		{"one refusal is enough to call a key dead", tests, edits{engine("enough").replaces("3", "1")}},
		{"an undeletable orphan stops everything", tests, edits{
			engine("attempt").replaces(`w.carried = errors.Join(w.carried, err)
		return nil`, `w.carried = errors.Join(w.carried, err)
		return err`),
			engine("decide").drops("(*view).urgent,"),
		}},
		{"another instance's intent is cancelled", tests, edits{engine("failedBefore").always("in.At.After(f.At)")}},
		{"a promotion is written down as of its beginning", tests, edits{engine("promoteWithin").replaces("s.ID, begun.Add(bound))", "s.ID, begun)")}},
		{"a change of time zone rotates", tests, edits{engine("nextTick").replaces("min(zoneShift, second.Sub(first)/2)", "0")}},
		{"a shortened grace cuts a key that is in its grace", tests, edits{engine("grace").replaces("grace = max(grace, cur.Intent.Grace)", "_ = cur")}},
		{"a panic of one target ends all", tests, edits{engine("recovered").replaces("recover()", "any(nil)")}},
		{"a key is issued that the admin key cannot revoke", tests, edits{engine("begin").never("v.Checked")}},
		{"an intent is taken up that a rotation has overtaken", tests, edits{engine("due").always("!v.outdone()")}},
		{"a sweep that failed is told as one that succeeded", tests, edits{engine("run.sweep").replaces("if err := w.deleteKey(ctx, s.ID); err != nil { return err }", "if err := w.deleteKey(ctx, s.ID); err != nil { w.Unswept[s.ID] = true; w.carried = err; return nil }")}},
		{"a promotion that was stopped midway keeps its time", tests, edits{engine("promoteWithin").replaces("w.wallClock().Sub(begun) > bound {", "w.wallClock().Sub(begun) > 1_000_000*bound {")}},
		{"an interrupt drops the key in hand", tests, edits{engine("reconcile").always("w.InHand == nil || w.now().Sub(interrupted) >= handOver")}},
		{"quarantine: an old key is revoked in it", tests, edits{engine("retire").never("v.quarantined()")}},
		{"quarantine: a current value of unknown origin is no reason", tests, edits{engine("quarantine").never("cur.Foreign")}},
		{"quarantine: a displaced value of unknown origin is no reason", tests, edits{engine("quarantine").never("old.Foreign")}},
		{"quarantine: it ends in the run that replaces the value", tests, edits{engine("quarantine").replaces("v.Foreign && !v.emergency()", "false")}},
		{"quarantine: a displaced value of unknown origin has no grace", tests, edits{engine("replaced").returns("true")}},
		{"quarantine: a pending value of unknown origin is thought empty", tests, edits{engine("mayHoldUnnamed").returns("v.quarantined()")}},
		{"a key that was ever current is swept", tests, edits{engine("mayHaveBeenCurrent").returns("false")}},
		{"room is made for the next key in the grace of the last", tests, edits{engine("makeRoom").never("v.inGrace()")}},
	}
}
