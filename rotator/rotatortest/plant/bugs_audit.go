package main

// auditBugs are those of the audit, and of the search for values.
func auditBugs() []bug {
	audit := within("cmd/instantly-rotator/audit")
	scan := within("cmd/instantly-rotator/scan")
	const tests = "./cmd/instantly-rotator/audit "
	return []bug{
		{"audit: what is not known passes", tests + "FailOn", edits{audit("Report.Failed").replaces("(f.Severity == NotKnown || f.Severity.rank() <= least.rank())", "f.Severity.rank() <= least.rank()")}},
		{"audit: an exception accepts for ever", tests + "Exception", edits{audit("accept").always("now.Before(a.Until)")}},
		{"audit: what an outage hid is new again", tests + "OnlyWhatIsNew", edits{audit("Memory.New").never("blind[checkOf(key)]")}},
		{"scan: what lies across two chunks is lost", "./cmd/instantly-rotator/scan WhereverItLies", edits{scan("searcher.in").replaces("len(buf)-self.set.longest", "len(buf)")}},
	}
}
