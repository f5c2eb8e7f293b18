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
		{"grace counted from promotion in the first store", tests, edits{engine("graceEnd").replaces("range self.Stores", "range self.Stores[:1]")}},
		{"a store that is lost is taken for a new one", tests, edits{engine("rules").drops("(*view).lost,")}},
		{"a store in trouble is left to the next rotation", tests, edits{engine("rules").drops("(*view).troubled,")}},
		{"a value that is no key is waited for", tests, edits{engine("keyDeadIn").replaces("(!self.young(cur) || self.noKeyIn(i))", "!self.young(cur)")}},
		{"adoption on the operator's word revokes a foreign key", "./rotator Adopt", edits{engine("IsRevocable").returns("true")}},
		{"an adopted key's age counted from now", "./rotator TakenOver", edits{engine("since").never(`cur.Intent.Adopted != ""`)}},
		{"what is adopted is not compared with what consumers read", "./rotator MiddleOfAnAdoption", edits{engine("compare").replaces("given.Equal(value)", "given.Equal(given)")}},
		{"an adoption makes a key that it displaced an orphan", "./rotator PushedOutBeforeAnAdoption", edits{engine("mayHaveBeenCurrent").never(`ver.Intent.Adopted != ""`)}},
		{"no sweep", tests, edits{engine("rules").drops("(*view).sweep,")}},
		{"sweep without the store's fingerprint", tests, edits{engine("orphans").replaces("for _, id := range self.Named[fingerprint(st.Identity)]", "_ = st; for id := range self.Keys")}},
		{"sweep of a foreign key", tests, edits{
			engine("isOrphan").never("!ok"),
			engine("isOrphan").never("name.Owner"),
			engine("orphans").replaces("for _, id := range self.Named[fingerprint(st.Identity)]", "_ = st; for id := range self.Keys"),
		}},
		{"a reading made beside the list counts as newer", tests, edits{engine("listKeys").replaces("self.readStoresAsOf(ctx, at)", "self.readStoresAsOf(ctx, at+100)")}},
		{"sweep on a reading older than the list", tests, edits{engine("view.sweep").never("self.seenSince(self.Listed)")}},
		{"revoke at promotion", tests, edits{engine("promote").replaces("self.Rotated = true", `self.Rotated = true
			if old, ok := self.primary().Versions[secretstore.Previous]; ok {
				return self.deleteKey(ctx, old.ID)
			}`)}},
		{"revoke without a last verification", tests, edits{engine("retireOne").never("self.confirmCurrent()")}},
		{"revoke while current in a follower", tests, edits{
			engine("inUse").returns("false"),
			engine("rules").replaces("(*view).deliver, (*view).supply, (*view).converge, (*view).retire,", "(*view).retire, (*view).deliver, (*view).supply, (*view).converge,"),
		}},
		{"promote without verify", tests, edits{engine("verifyAndPromote").replaces("Verb: Verify", "Verb: Promote")}},
		{"stage untested", tests, edits{engine("inHand").replaces("Verb: Try, Store: inMemory", "Verb: Stage, Store: 0")}},
		{"indeterminate taken for invalid", tests, edits{engine("isInvalid").replaces("== Invalid", "!= Valid")}},
		{"issue without reserve", tests, edits{engine("reserve").replaces("self.replaceIntent(ctx, notes)", "func() error { self.Stores[0].Notes = notes; return nil }()")}},
		{"promote forgets the living current key", tests, edits{engine("mayDisplace").always("self.dead()")}},
		{"discard revokes before the store lets go", tests, edits{engine("discard").replaces("if s.Store != inMemory {", "_ = self.deleteKey(ctx, s.ID); if s.Store != inMemory {")}},
		{"the organization is not compared", tests, edits{engine("whose").always("org == self.account")}},
		{"destroy before the proof", tests, edits{engine("proveStep").replaces("Verb: Prove", "Verb: Destroy")}},
		{"sweep of a key whose version a store has not finished forgetting", "./rotator Decide", edits{engine("mayHoldUnnamed").drops("st.Unfinished ||")}},
		{"sweep of a key that a version of unknown origin may hold", tests, edits{engine("view.sweep").never("self.mayHoldUnnamed()")}},
		{"a key in hand that a store was asked to take is given up", tests, edits{engine("intentGone").never("h.Offered")}},
		{"a key that a clock ahead made is never young", tests, edits{engine("young").replaces("made.Add(-clockMargin)", "made")}},
		{"a dead key in a store that follows a value of unknown origin is left there", tests, edits{engine("due").never("self.followerDead()")}},
		{"the time of a late promotion stands if its answer is lost", tests, edits{engine("promoteWithin").replaces("if self.wallClock().Sub(begun) > bound", "if err == nil && self.wallClock().Sub(begun) > bound")}},
		{"a failed reservation is a reason to rotate later", tests, edits{engine("recordFailure").never(`self.FailedReservation != ""`)}},
		{"the intent of a failed reservation stands", tests, edits{engine("standBack").never(`self.FailedReservation != ""`)}},
		{"a hold set after the intent is not obeyed", tests, edits{engine("view.start").always("!held")}},
		{"a store that follows is read after the primary", tests, edits{
			engine("readStoresAsOf").replaces("var wg sync.WaitGroup", "self.readStore(ctx, 0, at); var wg sync.WaitGroup"),
			engine("readStoresAsOf").replaces("wg.Wait() self.readStore(ctx, 0, at)", "wg.Wait()"),
		}},
		{"one refusal is enough to call a key dead", tests, edits{engine("enough").replaces("3", "1")}},
		{"an undeletable orphan stops everything", tests, edits{
			engine("attempt").replaces(`self.carried = errors.Join(self.carried, err)
		return nil`, `self.carried = errors.Join(self.carried, err)
		return err`),
			engine("rules").drops("(*view).urgent,"),
		}},
		{"another instance's intent is cancelled", tests, edits{engine("failedBefore").always("in.At.After(f.At)")}},
		{"a promotion is written down as of its beginning", tests, edits{engine("promoteWithin").replaces("s.ID, begun.Add(bound))", "s.ID, begun)")}},
		{"a change of time zone rotates", tests, edits{engine("nextTick").replaces("min(zoneShift, second.Sub(first)/2)", "0")}},
		{"a shortened grace cuts a key that is in its grace", tests, edits{engine("grace").replaces("grace = max(grace, cur.Intent.Grace)", "_ = cur")}},
		{"a panic of one target ends all", tests, edits{engine("recovered").replaces("recover()", "any(nil)")}},
		{"a key is issued that the admin key cannot revoke", tests, edits{engine("view.start").never("self.Checked")}},
		{"a superseded intent is taken up", tests, edits{engine("due").always("!self.intentSuperseded()")}},
		{"a sweep that failed is told as one that succeeded", tests, edits{engine("run.sweep").replaces("if err := self.deleteKey(ctx, s.ID); err != nil { return err }", "if err := self.deleteKey(ctx, s.ID); err != nil { self.Unswept[s.ID] = true; self.carried = err; return nil }")}},
		{"a promotion that was stopped midway keeps its time", tests, edits{engine("promoteWithin").replaces("self.wallClock().Sub(begun) > bound {", "self.wallClock().Sub(begun) > 1_000_000*bound {")}},
		{"an interrupt drops the key in hand", tests, edits{engine("reconcile").always("!self.unfinished() || self.now().Sub(interrupted) >= handOver")}},
		{"quarantine: an old key is revoked in it", tests, edits{engine("retire").never("self.quarantine()")}},
		{"quarantine: a current value of unknown origin is no reason", tests, edits{engine("quarantine").never("cur.Foreign")}},
		{"quarantine: a displaced value of unknown origin is no reason", tests, edits{engine("quarantine").never("old.Foreign")}},
		{"quarantine: it ends in the run that replaces the value", tests, edits{engine("quarantine").replaces("self.Foreign && !self.emergency()", "false")}},
		{"quarantine: a displaced value of unknown origin has no grace", tests, edits{engine("replaced").returns("true")}},
		{"quarantine: a pending value of unknown origin is thought empty", tests, edits{engine("mayHoldUnnamed").returns("self.quarantined()")}},
		{"a promotion that was stopped midway is corrected in one try", "./rotator Slept", edits{engine("promoteLate").always("!self.wait(ctx, self.now().Add(pause))")}},
		{"a key is promoted that the list does not have", tests, edits{engine("pending").never("self.confirmID(ver)")}},
		{"a key is promoted that the list does not have: every call fails", "./rotator EveryCallFails", edits{engine("pending").never("self.confirmID(ver)")}},
		{"a key is promoted that the list does not have: two instances", "./rotator TwoInstancesInterleaved", edits{engine("pending").never("self.confirmID(ver)")}},
		{"a key is swept that a version has under another id", tests, edits{engine("refersTo").returns("false")}},
		{"ids are taken to be confirmed for ever", tests, edits{engine("pairedSince").replaces("self.pairedAt.After(t)", "!self.pairedAt.IsZero()")}},
		{"a list of before a key was issued says that there is none", tests, edits{engine("confirmID").never("self.Listed <= self.bornAt(ver)"), engine("confirmID").never("self.Listed <= self.primary().Seen")}},
		{"a key is revoked that the list has under somebody else's name", tests, edits{engine("deleteKey").never("!self.isOurs(k)")}},
		{"a key that was ever current is swept", tests, edits{engine("mayHaveBeenCurrent").returns("false")}},
		{"an emptied store's last key is swept", "./rotator Emptied", edits{engine("mayHaveBeenCurrent").replaces("emptied := true", "emptied := false")}},
		{"a first key that no store took is kept as if one had", "./rotator Emptied", edits{engine("mayHaveBeenCurrent").never("self.GivenUp[name.Nonce]")}},
		{"an old key is revoked while a store is in trouble", "./rotator Trouble", edits{engine("retireOne").never("self.untroubled(id)")}},
		{"the predecessor of an admin key revokes itself", "./rotator ProcessOfBefore", edits{engine("retireOne").never("self.assume()")}},
		{"an admin key is tested like any other", "./rotator/apikeys AdminKey", edits{within("rotator/apikeys")("Issuer.Test").never("administers(scopesOf(spec))")}},
		{"a target begins while the admin key is swapped", "./rotator WhileTheAdminKey", edits{engine("startRotation").drops("(*view).beingReplaced,")}},
		{"room is made for the next key in the grace of the last", tests, edits{engine("makeRoom").never("self.inGrace()")}},
	}
}
