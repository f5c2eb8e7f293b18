package main

// leaderBugs are those of the election among daemons.
func leaderBugs() []bug {
	leader := within("cmd/instantly-rotator/leader")
	const (
		tests = "./cmd/instantly-rotator/leader ."
	)
	return []bug{
		{"leader: the place as identity, not the process", tests, edits{leader("newIdentity").replaces(`host + "_" + rand.Text()[:unique]`, "(host + rand.Text()[:unique])[:len(host)]")}},
		{"leader: works on until the Lease expires", tests, edits{leader("term").replaces("deadline.Reset(time.Until(renewed.Add(renewDeadline)))", "deadline.Reset(time.Until(renewed.Add(duration)))")}},
		{"leader: Lease taken before it expired", tests, edits{leader("free").replaces("time.Since(self.since) > self.seen.lasts", "time.Since(self.since) > self.seen.lasts-6*time.Second")}},
		{"leader: Lease given up while a step is in hand", tests, edits{leader("term").replaces("context.WithoutCancel(ctx), done", "ctx, done")}},
		{"leader: Lease taken back from its new holder", tests, edits{leader("renew").replaces("self.note(now)", "self.seen = now")}},
		{"leader: next term begun beside the last step", tests, edits{leader("term").replaces("<-done if held", "if held")}},
	}
}
