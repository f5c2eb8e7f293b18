package main

// gcpBugs are those of the store in GCP Secret Manager.
func gcpBugs() []bug {
	const (
		dir    = "secretstore/gcpsecretmanager/"
		pkg    = "./secretstore/gcpsecretmanager "
		races  = pkg + "TwoWriters"
		struck = pkg + "CallsFail|CallFails"
		lost   = pkg + "TestAdd|TestWriter"
		byHand = pkg + "Hand|Value|Foreign|Alias"
		wiped  = pkg + "Wiped"
	)
	return []bug{
		{"gcp: add without announcing", races, []edit{{dir + "write.go", "announced, err := s.record(inTime, v, v.base.announced(c.add.version, v.top.number, s.o.Now()))", "announced, err := v, error(nil)\n\tannounced.base = v.base.announced(c.add.version, v.top.number, s.o.Now())"}}},
		{"gcp: write while another one adds", races, []edit{{dir + "write.go", "if !v.base.busy(s.o.Now()) {", "if true {"}}},
		{"gcp: write without the etag", races, []edit{{dir + "service.go", "Name: s.names.secret, Etag: etag,", "Name: s.names.secret,"}}},
		{"gcp: add sent again", pkg + "Reads", []edit{{dir + "client.go", "GetSecret: again,", "GetSecret: again, AddSecretVersion: again,"}}},
		{"gcp: lost answer not looked into", lost, []edit{{dir + "write.go", "if added, found = s.arrivedAfterAll(ctx, v); !found {", "if !found {"}}},
		{"gcp: announced version not known by its value", struck, []edit{{dir + "arrival.go", "st.Adding.Version.CRC32C == s.crc32c", "st.Adding.Version.CRC32C == 0"}}},
		{"gcp: pending version destroyed with nothing put on top", struck, []edit{{dir + "store.go", "c.add, err = s.onceMore(ctx, current)", "_, err = s.onceMore(ctx, current)"}}},
		{"gcp: promoted version not put on top", races, []edit{{dir + "store.go", "if r.Stage == secretstore.Current || r.number() == now.top.number {", "if r.Stage != \"\" {"}}},
		{"gcp: left over versions never destroyed", struck, []edit{{dir + "state.go", "`json:\"leaving,omitempty\"`", "`json:\"-\"`"}}},
		{"gcp: late version left on top by its sender", lost, []edit{{dir + "late.go", "if err := s.withdraw(ctx, now); err != nil {", "if err := error(nil); err != nil {"}}},
		{"gcp: value given up not known again", byHand, []edit{{dir + "arrival.go", "g.CRC32C == s.crc32c }); i >= 0 {", "g.CRC32C == s.crc32c }); i >= 99 {"}}},
		{"gcp: the secret read before its newest version", races + "|LookBetween", []edit{{dir + "view.go", "top, err := s.service.latest(ctx)\n\tif err != nil {\n\t\treturn view{}, err\n\t}\n\tsec, err := s.service.secret(ctx)\n", "sec, err := s.service.secret(ctx)\n\ttop, failed := s.service.latest(ctx)\n\tif failed != nil {\n\t\treturn view{}, failed\n\t}\n"}}},
		{"gcp: no-op on a view that is out of date", pkg + "NothingToDo", []edit{{dir + "write.go", "if v, err = s.asSeen(ctx, v.identity, v.revision()); err != nil || c.same {", "if c.same {"}}},
		{"gcp: foreign version destroyed", byHand, []edit{{dir + "change.go", "if !held || r.Foreign {", "if !held {"}}},
		{"gcp: previous key pushed out by hand", byHand, []edit{{dir + "arrival.go", "if had && !current.Foreign && stands && !standing.Foreign {", "if had && standing.Foreign && !stands {"}}},
		{"gcp: somebody's aliases wiped", byHand, []edit{{dir + "view.go", "aliases := maps.Clone(v.aliases)", "aliases := map[string]int64{}"}}},
		{"gcp: another owner's secret taken over", pkg + "Owner", []edit{{dir + "view.go", "st.Owner != s.o.Owner {", "st.Owner == \"\" {"}}},
		{"gcp: emulator not asked about etags", pkg + "Emulator|Server", []edit{{dir + "server.go", "if s.site.Endpoint == \"\" || s.trusted() {", "if true {"}}},
		{"gcp: damaged payload taken", pkg + "Damaged", []edit{{dir + "store.go", "if crc != r.CRC32C {", "if crc == 0 {"}}},
		{"gcp: other fields of the payload dropped", pkg + "OtherFields", []edit{{dir + "store.go", "stored, err := s.o.Payload.Encode(v, value, held)", "stored, err := s.o.Payload.Encode(v, value, secret.Value{})"}, {dir + "store.go", "held, err := s.rest(ctx, now.base)", "_, err := s.rest(ctx, now.base)"}}},
		{"gcp: added long after it was announced", pkg + "Suspended", []edit{{dir + "write.go", "if v.base.overdue(s.o.Now()) {", "if false {"}}},
		{"gcp: the client's log left on", pkg + "DebugLog", []edit{{dir + "client.go", "option.WithLogger(slog.New(slog.DiscardHandler)),", "option.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))),"}, {dir + "client.go", "\t\"net\"\n", "\t\"net\"\n\t\"os\"\n"}}},
		{"gcp: server's message repeats the value", pkg + "NoError", []edit{{dir + "service.go", "if repeats(err.Error(), stored) || repeats(err.Error(), key) {", "if repeats(\"\", stored) {"}}},
		{"gcp: server's message repeats a key within JSON", pkg + "NoError", []edit{{dir + "service.go", " || repeats(err.Error(), key) {", " {"}}},
		{"gcp: nothing looked for below a version that was taken away", wiped, []edit{{dir + "wiped.go", "if !st.blank() || top.enabled", "if st.blank() || top.enabled"}}},
		{"gcp: a forgotten version looked for again", pkg + "Forgotten", []edit{{dir + "wiped.go", "st.Settled = top - 1\n", ""}}},
		{"gcp: annotations of any size", pkg + "TooLarge", []edit{{dir + "write.go", "size >= maxAnnotations {", "size < 0 {"}}},
	}
}
