package main

// kubernetesBugs are those of the store in a Kubernetes Secret.
func kubernetesBugs() []bug {
	store := within("secretstore/kubernetessecret")
	const (
		tests0 = "./secretstore/kubernetessecret TwoWriters|WritersBetween"
		tests1 = "./secretstore/kubernetessecret Hand|Pending|Previous|Annotation|Leftover|Edit"
		tests2 = "./secretstore/kubernetessecret NothingIsBegun"
	)
	return []bug{
		{"kubernetes: write without the resourceVersion", tests0, edits{store("wire").drops(`"resourceVersion": p.resourceVersion,`)}},
		{"kubernetes: write over what came between", tests0, edits{store("commit").never("now.revision() != v.revision()")}},
		{"kubernetes: edit of a label taken for a lost race", tests1, edits{store("revision").replaces("self.object.text, self.object.slots", "self.object.text, self.object.resourceVersion, self.object.slots")}},
		{"kubernetes: write sent again", "./secretstore/kubernetessecret AskedTwice", edits{store("client.patch").drops("MaxRetries(0).")}},
		{"kubernetes: pending value edited by hand promoted", tests1, edits{store("matched").never("slots[secretstore.Pending].digest")}},
		{"kubernetes: value put by hand taken for ours", tests1, edits{store("currentMatched").always("current.Held == seen.digest")}},
		{"kubernetes: displaced key forgotten by hand", "./secretstore/kubernetessecret Hand|Pending|Previous|Annotation|Leftover|Edit|Nonsense", edits{store("currentMatched").replaces("if had { current.Stage", "if _, stands := d.On(secretstore.Previous); had && !stands { current.Stage")}},
		{"kubernetes: promotion time of a value put back believed", "./secretstore/kubernetessecret Hand|Pending|Previous|Annotation|Leftover|Edit|GoingBack", edits{store("currentMatched").replaces("r.Stage, r.Promoted = secretstore.Current, time.Time{}", "r.Stage = secretstore.Current")}},
		{"kubernetes: copied annotation believed", "./secretstore/kubernetessecret Copied", edits{store("stateOf").never("st.UID")}},
		{"kubernetes: another owner's Secret taken over", "./secretstore/kubernetessecret Owner", edits{store("stateOf").never("st.Owner != self.o.Owner")}},
		{"kubernetes: rotation begun in an immutable Secret", tests2, edits{store("writable").never("v.object.immutable")}},
		{"kubernetes: rotation begun in a full Secret", tests2, edits{store("writable").never("c.next.Intent.Nonce")}},
		{"kubernetes: the cluster's message repeats the value", "./secretstore/kubernetessecret NoError", edits{store("client.patch").replaces("unlessRepeated(err, p)", "err")}},
		{"kubernetes: current key dropped with its value", "./secretstore/kubernetessecret TakenAway|HandsOnTheKey", edits{store("currentGone").replaces(`current.Stage = secretstore.Previous
	return d.Put(current)`, `_ = current
	return d.Drop(secretstore.Current)`)}},
		{"kubernetes: foreign version without its time", "./secretstore/kubernetessecret KeyMadeByHand", edits{store("foreign").replaces("document.Time(seen.since)", "time.Time{}")}},
		{"kubernetes: old value left in the Secret", "./secretstore/kubernetessecret CallFails|Leftover", edits{store("wire").replaces("data[self.keys[stage]] = nil", "_ = stage")}},
	}
}
