package main

// directivesBugs are those of what people order: holds, incidents, freezes, gates, keys kept apart.
func directivesBugs() []bug {
	engine := within("rotator")
	const (
		tests = "./rotator ."
	)
	return []bug{
		{"directives: no grace for keys of who has left", "./rotator OfWhoHasLeft", edits{engine("State.emergency").drops("&& !in.Soft")}},
		{"directives: a soft incident is never made a hard one", "./rotator SameIncidentWithoutGrace", edits{engine("hardens").returns("false")}},
		{"directives: a hold does not stop a revocation", tests, edits{engine("retire").never("self.waitForHold()")}},
		{"directives: a hold does not stop a promotion", tests, edits{engine("pending").never("self.waitForHold()")}},
		{"directives: a hold does not stop a rotation", tests, edits{engine("held").replaces("delay(h.Until, heldBy(h))", "pass()")}},
		{"directives: an incident is acted on before it is noted", tests, edits{engine("run.declare").replaces("self.annotate(ctx, notes)", "func() error { self.Stores[0].Notes = notes; return nil }()")}},
		{"directives: a key staged before the incident is promoted", tests, edits{engine("pending").never("self.suspect(ver)")}},
		{"directives: an incident is closed while an old key lives", tests, edits{engine("view.resolve").never("len(self.old()) > 0")}},
		{"directives: an incident gives the old key its grace", tests, edits{engine("inGrace").never("self.emergency()")}},
		{"directives: an incident is noted where a store was", tests, edits{engine("view.declare").replaces("lost || (self.unused() && self.Listed == 0)", "false && lost")}},
		{"directives: a lease is not kept", tests, edits{engine("leased").replaces("in.Holder == self.Instance", `in.Holder != ""`)}},
		{"directives: a freeze window is not kept", tests, edits{engine("inFreezeWindow").always("until.IsZero()")}},
		{"directives: a freeze window stops what has begun", tests, edits{engine("pressing").never("self.primary().Notes.Intent.IsZero()")}},
		{"a key that nothing can be asked about is told as proven dead", tests, edits{engine("run.prove").drops("t.Unasked = value.IsZero()")}},
		{"directives: an open gate does not keep the old key alive", tests, edits{engine("retireOne").never("self.gateOpen()")}},
		{"directives: the consumers of an outdated key are not asked for", tests, edits{engine("view.converge").replaces("len(self.toRetire()) == 0", "len(self.old()) == 0"), engine("gateOpen").never("!self.isAnswer(g, cur.ID)")}},
		{"directives: a gate is not told of outdated keys", tests, edits{engine("view.move").replaces("self.toRetire()", "func() (ids []string) { for _, o := range self.old() { ids = append(ids, o.ID) }; return ids }()")}},
		{"directives: a gate's answer is taken for keys that it was not asked about", tests, edits{engine("isAnswer").replaces("!slices.ContainsFunc(m.Old, isNews)", "(true || isNews(\"\"))")}},
		{"directives: a gate's answer is taken though a store got the key anew", tests, edits{engine("isAnswer").replaces("!m.Since.After(g.of.Since)", "true")}},
		{"directives: a waiver is for every key", tests, edits{engine("waived").always("self.primary().Notes.Waiver.KeyID == cur.ID")}},
		{"directives: an incident waits for consumers", tests, edits{engine("gateOpen").never("self.emergency()")}},
		{"directives: related keys are not kept apart", tests, edits{engine("apart").always("self.now.Before(until)")}},
		{"directives: related keys of one process are not kept apart", tests, edits{engine("lockGroup").never("by != self")}},
		{"directives: failures of the same kind stop nobody", tests, edits{engine("count").never("n >= sameWay")}},
		{"directives: every target asks again in an outage", tests, edits{engine("listedSince").replaces("self.reach.trip(now, err)", "_ = now")}},
		{"directives: all targets probe at once", tests, edits{engine("allow").drops("self.until = now.Add(self.wait)")}},
		{"directives: a key is issued before the incident by the clock", tests, edits{engine("reserve").replaces("!at.After(incident)", "at.IsZero()")}},
		{"directives: a waiver passes to the key of the same run", "./rotator AWaiver", edits{engine("view.waive").drops("self.Rotated ||")}},
		{"directives: the same incident once more rotates again", tests, edits{engine("ordersIncident").replaces("&& !self.answered()", "")}},
		{"directives: an incident is forgotten when another store is made the primary", "./rotator IncidentOutlives", edits{engine("State.incident").replaces("range self.Stores", "range self.Stores[:1]")}},
		{"directives: two incidents both stand back", "./rotator TwoIncidents", edits{engine("reread").never(`self.req.Incident != ""`)}},
		{"directives: a second incident takes the place of the first one's name", "./rotator TwoIncidents", edits{engine("askedIncident").replaces("in.ID = both", "_ = both")}},
		{"directives: a second incident is not about the key that the first one made", "./rotator AnIncidentDeclaredInAnother", edits{engine("coversAll").returns("true")}},
		{"directives: an incident forgets a value that it could not revoke", "./rotator Remembers", edits{engine("leavesForeign").returns("false")}},
		{"directives: an incident is put before keys by the clock", tests, edits{engine("afterAll").replaces("!at.After(b)", "at.IsZero()")}},
	}
}
