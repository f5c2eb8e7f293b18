package main

// kubernetesBugs are those of the store in a Kubernetes Secret.
func kubernetesBugs() []bug {
	const (
		dir    = "secretstore/kubernetessecret/"
		pkg    = "./secretstore/kubernetessecret "
		races  = pkg + "TwoWriters|WritersBetween"
		byHand = pkg + "Hand|Pending|Previous|Annotation|Leftover|Edit"
	)
	return []bug{
		{"kubernetes: write without the resourceVersion", races, []edit{{dir + "value.go", "\"resourceVersion\": p.resourceVersion,", ""}}},
		{"kubernetes: write over what came between", races, []edit{{dir + "write.go", "case now.identity != v.identity || now.revision() != v.revision():", "case now.identity != v.identity:"}}},
		{"kubernetes: edit of a label taken for a lost race", byHand, []edit{{dir + "view.go", "v.object.text, v.object.slots", "v.object.text, v.object.resourceVersion, v.object.slots"}}},
		{"kubernetes: write sent again", pkg + "AskedTwice", []edit{{dir + "client.go", "MaxRetries(0).Body(body)", "Body(body)"}}},
		{"kubernetes: pending value edited by hand promoted", byHand, []edit{{dir + "reconcile.go", "held && r.Digest != slots[secretstore.Pending].digest", "held && r.Digest == \"\""}}},
		{"kubernetes: value put by hand taken for ours", byHand, []edit{{dir + "reconcile.go", "case had && current.Digest == seen.digest:", "case had && seen.digest != \"\":"}}},
		{"kubernetes: displaced key forgotten by hand", byHand + "|Nonsense", []edit{{dir + "reconcile.go", "\tif had {\n\t\tcurrent.Stage", "\tif _, stands := st.on(secretstore.Previous); had && !stands {\n\t\tcurrent.Stage"}}},
		{"kubernetes: promotion time of a value put back believed", byHand + "|GoingBack", []edit{{dir + "reconcile.go", "r.Stage, r.Promoted = secretstore.Current, time.Time{}", "r.Stage = secretstore.Current\n\t_ = time.Now"}}},
		{"kubernetes: copied annotation believed", pkg + "Copied", []edit{{dir + "view.go", "case st.UID != o.uid:", "case st.UID == \"\":"}}},
		{"kubernetes: another owner's Secret taken over", pkg + "Owner", []edit{{dir + "view.go", "case st.Owner != s.o.Owner:", "case st.Owner == \"\":"}}},
		{"kubernetes: rotation begun in an immutable Secret", pkg + "NothingIsBegun", []edit{{dir + "write.go", "case v.object.immutable:", "case v.object.uid == \"\":"}}},
		{"kubernetes: rotation begun in a full Secret", pkg + "NothingIsBegun", []edit{{dir + "write.go", "if c.next.Intent.Nonce != \"\" {", "if c.next.Intent.Nonce == \"-\" {"}}},
		{"kubernetes: the cluster's message repeats the value", pkg + "NoError", []edit{{dir + "client.go", "unlessRepeated(err, p)", "err"}}},
		{"kubernetes: current key dropped with its value", pkg + "TakenAway|HandsOnTheKey", []edit{{dir + "reconcile.go", "current.Stage = secretstore.Previous\n\treturn st.put(current)", "_ = current\n\treturn st.drop(secretstore.Current)"}}},
		{"kubernetes: foreign version without its time", pkg + "KeyMadeByHand", []edit{{dir + "reconcile.go", "jsonnotes.Time(seen.since)", "jsonnotes.Time(record{}.Created)"}}},
		{"kubernetes: old value left in the Secret", pkg + "CallFails|Leftover", []edit{{dir + "value.go", "data[c.keys[stage]] = nil", "_ = stage"}}},
	}
}
