package main

// notifyBugs are those of the notifications.
func notifyBugs() []bug {
	notify := within("cmd/instantly-rotator/notify")
	binary := within("cmd/instantly-rotator")
	config := within("cmd/instantly-rotator/config")
	const (
		tests = "./cmd/instantly-rotator/notify Reasons"
	)
	return []bug{
		{"notify: the client's own words passed on", tests, edits{
			notify("redacted").replaces("return ErrUndelivered", "return err"),
			notify("redacted").never("statusIn(text)"),
		}},
		{"notify: a crash of the client not caught", "./cmd/instantly-rotator/notify Crash", edits{notify("line.send").never("recover() != nil")}},
		{"notify: the attempt not cut off", "./cmd/instantly-rotator/notify Hanging|CutOff", edits{notify("deliver").replaces("return err case <-ctx.Done(): return ErrTimeout", "return err")}},
		{"notify: redirects followed", tests, edits{notify("LimitHTTP").replaces("c.CheckRedirect = func", "_ = func")}},
		{"notify: queue without a bound", "./cmd/instantly-rotator/notify Hanging", edits{notify("push").never("maxQueued")}},
		{"notify: nothing folded", "./cmd/instantly-rotator/notify Repetitions", edits{notify("inbox.add").never("self.folds[about]")}},
		{"notify: folded messages forgotten at the end", "./cmd/instantly-rotator/notify CloseTells", edits{notify("finish").never("f.more > 0")}},
		{"notify: no limit", "./cmd/instantly-rotator/notify Twenty|TenMinutes", edits{notify("hasRoom").always("maxTold")}},
		{"notify: the number of the rest not told", "./cmd/instantly-rotator/notify Rest", edits{notify("drop").replaces("self.owedAt = now.Add(period)", "self.owedAt = time.Time{}")}},
		{"notify: successes fill the limit", "./cmd/instantly-rotator/notify Successes", edits{notify("hasRoom").replaces("maxSuccesses", "maxTold")}},
		{"notify: no second attempt", "./cmd/instantly-rotator/notify TriedAgain|Outage", edits{notify("attempts").always("maxAttempts")}},
		{"notify: a refusal tried again", "./cmd/instantly-rotator/notify Refusal", edits{notify("lasting").replaces("return !again", "return !again && status == 0")}},
		{"notify: markup passed on", "./cmd/instantly-rotator/notify MoreThanText", edits{notify("harmless").replaces(`"<", "‹"`, `"<", "<"`)}},
		{"notify: the client's log left on", "./cmd/instantly-rotator TestScripts/notify", edits{
			binary("run").replaces("log.SetOutput(io.Discard)", "log.SetOutput(os.Stderr)").importing("os"),
			notify("open").replaces("(&router.ServiceRouter{})", "func() *router.ServiceRouter { r, _ := router.New(log.Default()); return r }()").importing("log"),
		}},
		{"config: a pasted receiver's URL repeated", "./cmd/instantly-rotator/config ReceiversURL", edits{config("receiversForm.decode").drops("d.quiet = true")}},
	}
}
