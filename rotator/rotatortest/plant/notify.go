package main

// notifyBugs are those of the notifications.
func notifyBugs() []bug {
	const (
		dir = "cmd/instantly-rotator/notify/"
		pkg = "./cmd/instantly-rotator/notify "
	)
	return []bug{
		{"notify: the client's own words passed on", pkg + "Reasons", []edit{{dir + "errors.go", "\treturn ErrUndelivered\n", "\treturn err\n"}, {dir + "errors.go", "if status := statusIn(text); status != 0 {", "if status := 0; status != 0 {"}}},
		{"notify: a crash of the client not caught", pkg + "Crash", []edit{{dir + "shoutrrr.go", "if recover() != nil {", "if false {"}}},
		{"notify: the attempt not cut off", pkg + "Hanging|CutOff", []edit{{dir + "shoutrrr.go", "\tcase err := <-done:\n\t\treturn err\n\tcase <-ctx.Done():\n\t\treturn ErrTimeout\n\t}\n}\n\n// send keeps", "\tcase err := <-done:\n\t\treturn err\n\t}\n}\n\n// send keeps"}}},
		{"notify: redirects followed", pkg + "Reasons", []edit{{dir + "shoutrrr.go", "c.CheckRedirect = func", "_ = func"}}},
		{"notify: queue without a bound", pkg + "Hanging", []edit{{dir + "inbox.go", "if len(b.queue) > maxQueued {", "if len(b.queue) < 0 {"}}},
		{"notify: nothing folded", pkg + "Repetitions", []edit{{dir + "inbox.go", "if f, ok := b.folds[about]; ok {", "if f, ok := b.folds[about]; ok && f == nil {"}}},
		{"notify: folded messages forgotten at the end", pkg + "CloseTells", []edit{{dir + "inbox.go", "if f := b.folds[about]; f.more > 0 {", "if f := b.folds[about]; f.more < 0 {"}}},
		{"notify: no limit", pkg + "Twenty|TenMinutes", []edit{{dir + "inbox.go", "return len(b.told) < maxTold", "return true"}}},
		{"notify: the number of the rest not told", pkg + "Rest", []edit{{dir + "inbox.go", "b.owedAt = now.Add(period)", "b.owedAt = time.Time{}"}}},
		{"notify: good news fills the limit", pkg + "GoodNews", []edit{{dir + "inbox.go", "return len(b.told) < maxGood", "return len(b.told) < maxTold"}}},
		{"notify: no second attempt", pkg + "TriedAgain|Outage", []edit{{dir + "mailbox.go", "made == maxAttempts", "made == 1"}}},
		{"notify: a refusal tried again", pkg + "Refusal", []edit{{dir + "errors.go", "return !again", "return !again && status == 0"}}},
		{"notify: markup passed on", pkg + "MoreThanText", []edit{{dir + "text.go", "\"<\", \"‹\"", "\"<\", \"<\""}}},
		{"notify: the client's log left on", "./cmd/instantly-rotator TestScripts/notify", []edit{{"cmd/instantly-rotator/main.go", "log.SetOutput(io.Discard)", "_ = io.Discard\n\tlog.SetOutput(os.Stderr)"}, {dir + "shoutrrr.go", "(&router.ServiceRouter{}).Locate(url.Reveal())", "shouting().Locate(url.Reveal())"}, {dir + "shoutrrr.go", "// hasTitle tells", "func shouting() *router.ServiceRouter { r, _ := router.New(log.Default()); return r }\n\n// hasTitle tells"}, {dir + "shoutrrr.go", "\t\"net/http\"\n", "\t\"log\"\n\t\"net/http\"\n"}}},
		{"config: a pasted receiver's URL repeated", "./cmd/instantly-rotator/config ReceiversURL", []edit{{"cmd/instantly-rotator/config/notify.go", "d.quiet = true", "d.quiet = false"}}},
	}
}
