package main

// membersBugs are those of what somebody who leaves could know, and of its replacement.
func membersBugs() []bug {
	members := within("cmd/instantly-rotator/members")
	const tests = "./cmd/instantly-rotator/members"
	return []bug{
		{"members: a leaving that was carried out is begun anew", tests + " Carried", edits{members("Crew.Replace").replaces("Again: o.Again", "Again: true")}},
		{"members: a soft leaving takes the grace away", tests + " Vanishes", edits{members("Crew.ReplaceFor").replaces("Soft: true", "Soft: false")}},
		{"members: the list of another workspace has everybody leave", tests + " Vanishes", edits{members("Left").never("len(d.Gone) == len(expected)")}},
		{"members: known_to not heeded", tests + " SomebodyCouldKnow", edits{members("Target.couldKnow").returns(`""`)}},
		{"members: no audit log taken for nothing made", tests + " CannotBeSaid", edits{members("doubt").never("r.Err != nil")}},
	}
}
