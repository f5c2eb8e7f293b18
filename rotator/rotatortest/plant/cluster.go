package main

// leaderBugs are those of the election among daemons.
func leaderBugs() []bug {
	const (
		dir = "cmd/instantly-rotator/leader/"
		pkg = "./cmd/instantly-rotator/leader ."
	)
	return []bug{
		{"leader: the place as identity, not the process", pkg, []edit{{dir + "lease.go", "host + \"_\" + rand.Text()[:unique]", "(host + rand.Text()[:unique])[:len(host)]"}}},
		{"leader: works on until the Lease expires", pkg, []edit{{dir + "term.go", "deadline.Reset(time.Until(renewed.Add(renewDeadline)))", "deadline.Reset(time.Until(renewed.Add(duration)))"}}},
		{"leader: Lease taken before it expired", pkg, []edit{{dir + "lease.go", "time.Since(l.since) > l.seen.lasts", "time.Since(l.since) > l.seen.lasts-6*time.Second"}}},
		{"leader: Lease given up while a step is in hand", pkg, []edit{{dir + "term.go", "context.WithoutCancel(ctx), done,", "ctx, done,"}}},
		{"leader: Lease taken back from its new holder", pkg, []edit{{dir + "term.go", "\tl.look(now)\n", "\tl.seen = now\n"}}},
		{"leader: next term begun beside the last step", pkg, []edit{{dir + "term.go", "\t<-done\n\tif held", "\tif held"}}},
	}
}

// consumersBugs are those of what brings consumers to a new key.
func consumersBugs() []bug {
	const (
		dir = "cmd/instantly-rotator/consumers/"
		pkg = "./cmd/instantly-rotator/consumers ."
	)
	return []bug{
		{"consumers: rollout judged before it was seen", pkg, []edit{{dir + "rollout.go", "case r.behind:", "case r.behind && r.want < 0:"}}},
		{"consumers: old pods not looked for", pkg, []edit{{dir + "rollout.go", "case r.old > 0:", "case r.old > 5:"}}},
		{"consumers: pods that are not available counted", pkg, []edit{{dir + "rollout.go", "case r.available < r.want:", "case r.available < 0:"}}},
		{"consumers: restarted at every look", pkg, []edit{{dir + "restart.go", "if w.restartedFor != keyID {", "if w.restartedFor != \"\" || keyID != \"\" {"}}},
		{"consumers: one annotation for all targets", pkg, []edit{{dir + "restart.go", "annotationPrefix + target", "annotationPrefix + \"key\""}}},
		{"consumers: not yet taken for yes", pkg, []edit{{dir + "url.go", "case status == http.StatusAccepted, ", "case "}}},
		{"consumers: redirect followed", pkg, []edit{{dir + "url.go", "return http.ErrUseLastResponse", "return nil"}}},
		{"consumers: address of a hook in a message", pkg, []edit{{dir + "url.go", "return withoutURL(err)", "return err"}}},
		{"consumers: program run again though it said yes", pkg, []edit{{dir + "consumers.go", "o.passed = keyID", "_ = keyID"}}},
		{"consumers: admin key passed on to a program", "./cmd/instantly-rotator CommandLearns", []edit{{"cmd/instantly-rotator/wire_consumers.go", "secrets = append(secrets, ws.AdminKey.Env)", "_ = ws"}}},
		{"consumers: gate forgotten", "./cmd/instantly-rotator Rollout|HookThat", []edit{{"cmd/instantly-rotator/wire.go", "t.Gates = append(t.Gates, w.gate(k.Name, after))", "_ = after"}}},
	}
}
