package main

// gcpBugs are those of the store in GCP Secret Manager.
func gcpBugs() []bug {
	store := within("secretstore/gcpsecretmanager")
	const (
		tests0 = "./secretstore/gcpsecretmanager TwoWriters"
		tests1 = "./secretstore/gcpsecretmanager TestAdd|TestWriter"
		tests2 = "./secretstore/gcpsecretmanager CallsFail|CallFails"
		tests3 = "./secretstore/gcpsecretmanager Hand|Value|Foreign|Alias"
		tests4 = "./secretstore/gcpsecretmanager NoError"
	)
	return []bug{
		{"gcp: add without announcing", tests0, edits{store("commit").replaces("announced, err := self.record(inTime, v, v.base.announced(c.add.version, v.top.number, self.o.Now()))", `announced, err := v, error(nil)
	announced.base = v.base.announced(c.add.version, v.top.number, self.o.Now())`)}},
		{"gcp: write while another one adds", tests0, edits{store("yield").always("!v.base.busy(self.o.Now())")}},
		{"gcp: write without the etag", tests0, edits{store("service.replace").drops("Etag: etag,")}},
		{"gcp: add sent again", "./secretstore/gcpsecretmanager Reads", edits{store("retryReads").replaces("GetSecret: again,", "GetSecret: again, AddSecretVersion: again,")}},
		{"gcp: lost answer not followed up", tests1, edits{store("Store.put").replaces("if added, found = self.arrivedAfterAll(ctx, v); !found {", "if !found {")}},
		{"gcp: announced version not known by its value", tests2, edits{store("accept").never("self.Adding.Version.Held.CRC32C")}},
		{"gcp: pending version destroyed with nothing put on top", tests2, edits{store("Store.destroy").replaces("c.add, err = self.onceMore(ctx, current)", "_, err = self.onceMore(ctx, current)")}},
		{"gcp: promoted version not put on top", tests0, edits{store("promote").always("now.top.number")}},
		{"gcp: left over versions never destroyed", tests2, edits{store("state").replaces("`json:\"leaving,omitempty\"`", "`json:\"-\"`")}},
		{"gcp: late version left on top by its sender", tests1, edits{store("overruled").replaces("self.withdraw(ctx, now)", "error(nil)")}},
		{"gcp: value given up not known again", tests3, edits{store("accept").never("slices.IndexFunc")}},
		{"gcp: the secret read before its newest version", "./secretstore/gcpsecretmanager TwoWriters|ReadBetween", edits{store("observe").replaces(`top, err := self.service.latest(ctx)
	if err != nil {
		return view{}, err
	}
	sec, err := self.service.secret(ctx)`, `sec, err := self.service.secret(ctx)
	top, failed := self.service.latest(ctx)
	if failed != nil {
		return view{}, failed
	}`)}},
		{"gcp: no-op on a view that is out of date", "./secretstore/gcpsecretmanager NothingToDo", edits{store("decideAndCommit").replaces("if v, err = self.asSeen(ctx, v.identity, v.revision()); err != nil || c.same {", "if c.same {")}},
		{"gcp: foreign version destroyed", tests3, edits{store("state.to").replaces("!r.Foreign", "true")}},
		{"gcp: previous key pushed out by hand", tests3, edits{store("byHand").replaces("had && !current.Foreign && stands && !standing.Foreign", "had && standing.Foreign && !stands")}},
		{"gcp: somebody's aliases wiped", tests3, edits{store("mirrored").replaces("maps.Clone(self.aliases)", "map[string]int64{}")}},
		{"gcp: another owner's secret taken over", "./secretstore/gcpsecretmanager Owner", edits{store("stateOf").never("st.Owner != self.o.Owner")}},
		{"gcp: emulator not asked about etags", "./secretstore/gcpsecretmanager Emulator|Server", edits{store("probe").always(`self.site.Endpoint == "" || self.trusted()`)}},
		{"gcp: damaged payload taken", "./secretstore/gcpsecretmanager Damaged", edits{store("whole").never("r.Held.CRC32C")}},
		{"gcp: other fields of the payload dropped", "./secretstore/gcpsecretmanager OtherFields", edits{
			store("encoded").replaces("self.o.Payload.Encode(v, value, held)", "self.o.Payload.Encode(v, value, secret.Value{})"),
			store("encoded").replaces("held, err := self.rest", "_, err := self.rest"),
		}},
		{"gcp: added long after it was announced", "./secretstore/gcpsecretmanager Suspended", edits{store("Store.add").never("v.base.overdue(self.o.Now())")}},
		{"gcp: the client's log left on", "./secretstore/gcpsecretmanager DebugLog", edits{store("dial").replaces("slog.DiscardHandler", "slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})").importing("os")}},
		{"gcp: server's message repeats the value", tests4, edits{
			store("service.add").never("stored.IsIn(err.Error())"),
			store("service.add").never("key.IsIn(err.Error())"),
		}},
		{"gcp: server's message repeats a key within JSON", tests4, edits{store("service.add").never("key.IsIn(err.Error())")}},
		{"gcp: nothing searched for below a version that was taken away", "./secretstore/gcpsecretmanager WithoutARecord|FoundBelow", edits{store("uncover").always("st.blank()")}},
		{"gcp: a forgotten version searched for again", "./secretstore/gcpsecretmanager Forgotten", edits{store("uncovered").drops("self.Settled = top - 1")}},
		{"gcp: a version given up and still served is not told of", "./secretstore/gcpsecretmanager GivenUp", edits{store("view.unfinished").never("self.top.enabled")}},
		{"gcp: annotations of any size", "./secretstore/gcpsecretmanager TooLarge", edits{store("Store.replace").never("size >= maxAnnotations")}},
	}
}
