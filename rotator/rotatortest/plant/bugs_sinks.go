package main

// sinksBugs are those of places that are given the key after the stores.
func sinksBugs() []bug {
	engine := within("rotator")
	const tests = "./rotator Sink"
	return []bug{
		{"sinks: a key is revoked without asking them", tests, edits{engine("sinksBehind").returns("pass()"), engine("askSinksAgain").returns("pass()")}},
		{"sinks: they are not asked again before a key goes", tests, edits{engine("askSinksAgain").returns("pass()")}},
		{"sinks: a put that used up its step is not looked after", "./rotator ASinkThatMayHave", edits{engine("reread").replaces("context.WithTimeout(context.WithoutCancel(ctx), self.opts.StepTimeout)", "context.WithCancel(ctx)")}},
		{"sinks: what could not be read after a put is not read", "./rotator ASinkThatMayHave", edits{engine("overtaken").replaces("self.Stores[0].Seen = 0", "return nil")}},
		{"sinks: the receipt is written before the put", tests, edits{engine("run.supply").replaces(
			"begun := self.now()",
			"begun := self.now(); own := &self.Sinks[s.Sink]; own.Tried, own.GivenAt = s.ID, self.tick(); if err := self.noteReceipt(ctx, s); err != nil { return err }; own.GivenAt = 0")}},
		{"sinks: the pending key is put", tests, edits{engine("verifyAndPromote").replaces(
			`return act(Step{Verb: Promote, Store: i, ID: ver.ID, Reason: "the pending " + self.noun() + " works as stored"})`,
			`for n := range self.Sinks { if self.Sinks[n].Tried != ver.ID { return act(Step{Verb: Supply, Sink: n, ID: ver.ID}) } }; return act(Step{Verb: Promote, Store: i, ID: ver.ID})`)}},
		{"sinks: grace does not count from the last of them", tests, edits{engine("receiptedAll").returns("time.Time{}, true")}},
		{"sinks: the error of one is taken for a lost race", tests, edits{engine("ofSink").returns("false")}},
		{"sinks: an incident waits for them", tests, edits{engine("sinksBehind").never("self.emergency()")}},
		{"sinks: one is asked at every run whether it works", tests, edits{engine("SinkState.works").replaces("!self.Checked || works || self.Works == id", "!self.Checked || works && false || self.Works == id")}},
		{"sinks: the receipt of one that was taken out is kept", tests, edits{engine("forgetReceipt").returns("pass()")}},
		{"sinks: what a view out of date did is not put right", tests, edits{engine("mendSinks").returns("pass()")}},
		{"sinks: a mark alone counts, however the key was put there", tests, edits{engine("SinkState.given").returns("true")}},
		{"sinks: what is on record of them counts after a store was restored", tests, edits{engine("receiptOutdated").returns("false")}},
		{"sinks: a key that one may have is swept", tests, edits{engine("mayHaveBeenCurrent").never("len(self.Sinks) > 0")}},
		{"sinks: in an incident they are tried one after the other", tests, edits{engine("besides").returns("nil")}},
		{"sinks: one that hangs holds up targets without any", tests, edits{engine("poolOf").replaces(`strings.Join(slices.Compact(services), "\n")`, `""`)}},
		{"sinks: one that fails delays a rotation", tests, edits{engine("failedBefore").never("f.Step == string(Supply)")}},
	}
}
