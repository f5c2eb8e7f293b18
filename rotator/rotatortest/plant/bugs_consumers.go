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
		{"consumers: restarted at every run", tests, edits{consumers("Restart.Pass").always("w.restartedFor")}},
		{"consumers: one annotation for all targets", tests, edits{consumers("NewRestart").replaces("annotationPrefix + target", `annotationPrefix + "key"`)}},
		{"consumers: not yet taken for yes", tests, edits{consumers("judged").never("http.StatusAccepted")}},
		{"consumers: redirect followed", tests, edits{consumers("NewURL").replaces("http.ErrUseLastResponse", "nil")}},
		{"consumers: address of a hook in a message", tests, edits{consumers("post").replaces("withoutURL(err)", "err")}},
		{"consumers: program run again though it said yes", tests, edits{consumers("pass").drops("self.passed = keyID")}},
		{"consumers: admin key passed on to a program", "./cmd/instantly-rotator CommandLearns", edits{fleet("EnvironmentForPrograms").replaces("secrets = append(secrets, ws.AdminKey.Env)", "_ = ws")}},
		{"consumers: gate forgotten", "./cmd/instantly-rotator Rollout|HookThat", edits{fleet("Fleet.target").replaces("t.Gates = append(t.Gates, self.Gate(k.Name, after))", "_ = after")}},
	}
}
