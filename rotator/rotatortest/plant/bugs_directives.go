package main

// directivesBugs are those of what people order: holds, incidents, freezes, gates, keys kept apart.
func directivesBugs() []bug {
	engine := within("rotator")
	const (
		tests = "./rotator ."
	)
	return []bug{
		{"directives: a hold does not stop a revocation", tests, edits{engine("retire").never("v.heldBack()")}},
		{"directives: a hold does not stop a promotion", tests, edits{engine("pending").never("v.heldBack()")}},
		{"directives: a hold does not stop a rotation", tests, edits{engine("held").drops("v.waiting = true")}},
		{"directives: an incident is acted on before it is noted", tests, edits{engine("run.declare").replaces("if err := w.annotate(ctx, notes); err != nil { return err }", "w.Stores[0].Notes = notes")}},
		{"directives: a key staged before the incident is promoted", tests, edits{engine("pending").never("v.suspect(ver)")}},
		{"directives: an incident is closed while an old key lives", tests, edits{engine("view.resolve").never("len(v.old()) > 0")}},
		{"directives: an incident gives the old key its grace", tests, edits{engine("inGrace").never("v.emergency()")}},
		{"directives: an incident trusts a key list of before the old key", tests, edits{engine("promote").drops("w.relist()")}},
		{"directives: a lease is not looked at", tests, edits{engine("leased").replaces("in.Holder == v.Instance", `in.Holder != ""`)}},
		{"directives: a freeze is not looked at", tests, edits{engine("frozen").always("until.IsZero()")}},
		{"directives: a freeze stops what has begun", tests, edits{engine("pressing").never("v.primary().Notes.Intent.IsZero()")}},
		{"directives: an open gate does not keep the old key alive", tests, edits{engine("retireOne").never("v.gateOpen()")}},
		{"directives: an incident waits for consumers", tests, edits{engine("gateOpen").always("v.emergency()")}},
		{"directives: related keys are not kept apart", tests, edits{engine("apart").always("v.now.Before(until)")}},
		{"directives: related keys of one process are not kept apart", tests, edits{engine("lockGroup").never("by != w")}},
		{"directives: failures of the same kind stop nobody", tests, edits{engine("count").never("n >= sameWay")}},
		{"directives: every target asks again in an outage", tests, edits{engine("listedSince").replaces("w.reach.trip(now, err)", "_ = now")}},
		{"directives: all targets probe at once", tests, edits{engine("allow").drops("b.until = now.Add(b.wait)")}},
		{"directives: a key is issued before the incident by the clock", tests, edits{engine("reserve").replaces("!at.After(incident)", "at.IsZero()")}},
		{"directives: an incident is put before keys by the clock", tests, edits{engine("afterAll").replaces("!at.After(b)", "at.IsZero()")}},
	}
}
