package main

// consumersBugs are those of what brings consumers to a new key.
func consumersBugs() []bug {
	consumers := within("cmd/instantly-rotator/consumers")
	fleet := within("cmd/instantly-rotator/fleet")
	const (
		tests = "./cmd/instantly-rotator/consumers ."
	)
	return []bug{
		{"consumers: rollout judged before it was seen", tests, edits{consumers("done").never("self.behind")}},
		{"consumers: old pods not counted", tests, edits{consumers("done").never("self.old == 1"), consumers("done").never("self.old > 0")}},
		{"consumers: pods that are not available counted", tests, edits{consumers("done").never("self.available < self.want")}},
		{"consumers: restarted at every run", tests, edits{consumers("Restart.Pass").always("w.isFor(m)")}},
		{"consumers: one annotation for all targets", tests, edits{consumers("Restart.workload").replaces("annotationPrefix + self.target", `annotationPrefix + "key"`), consumers("Restart.patch").replaces("annotationPrefix + self.target", `annotationPrefix + "key"`)}},
		{"consumers: not yet taken for yes", tests, edits{consumers("judged").never("http.StatusAccepted")}},
		{"consumers: redirect followed", tests, edits{consumers("NewURL").replaces("http.ErrUseLastResponse", "nil")}},
		{"consumers: address of a hook in a message", tests, edits{consumers("post").replaces("withoutURL(err)", "err")}},
		{"consumers: program run again though it said yes", tests, edits{consumers("pass").drops("self.passed = m")}},
		{"consumers: admin key passed on to a program", "./cmd/instantly-rotator CommandLearns", edits{fleet("EnvironmentForPrograms").replaces("secrets = append(secrets, ws.AdminKey.Env)", "_ = ws")}},
		{"consumers: old key acts, and is let go", "./cmd/instantly-rotator/consumers OldKey", edits{consumers("ask").never("len(acted) > 0")}},
		{"consumers: outage of the audit log passed", "./cmd/instantly-rotator/consumers Outage", edits{consumers("ask").replaces("errors.Is(err, errNoAuditLog) && self.PassUnknown", "err != nil && self.PassUnknown")}},
		{"consumers: empty audit log taken for a quiet one", "./cmd/instantly-rotator/consumers WithoutAnAuditLog", edits{consumers("acted").never("len(logs) == 0")}},
		{"consumers: pods that may have found another key are not restarted again", "./cmd/instantly-rotator/consumers MayHaveFound", edits{consumers("isFor").replaces("!m.Since.After(self.since)", "true")}},
		{"consumers: gate forgotten", "./cmd/instantly-rotator Rollout|HookThat", edits{fleet("Fleet.target").replaces("t.Gates = append(t.Gates, self.Gate(ctx, k, after))", "_ = after")}},
	}
}
