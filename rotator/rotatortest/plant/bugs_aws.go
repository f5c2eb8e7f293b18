package main

// awsBugs are those of the store in AWS Secrets Manager.
func awsBugs() []bug {
	store := within("secretstore/awssecretsmanager")
	const (
		tests = "./secretstore/awssecretsmanager Contract$|Writers|Killed|Paused|Lost|Promotion|AnotherOwners|NoError|Reservations"
	)
	return []bug{
		{"aws: written without reading afterwards", tests, edits{store("confirm").never("self.same(st, ignored)")}},
		{"aws: an announced promotion is not referred to", tests, edits{store("findPending").never("self.isAnnounced(version)")}},
		{"aws: an announced promotion may be given up", tests, edits{store("mayForget").never("self.now().Before(at.Add(abandonedAfter))")}},
		{"aws: a put takes AWSPENDING along", tests, edits{store("labels").replaces("[]string{key.text(version)}", "[]string{key.text(version), labelPending}")}},
		{"aws: a put without labels", tests, edits{store("put").replaces(", VersionStages: labels}", "}; _ = labels")}},
		{"aws: staged although the intent was dropped", tests, edits{store("write.shift").replaces("if err := self.move(self.ctx, self.arn, label, from, to); err != nil {", `err := self.move(self.ctx, self.arn, label, from, to)
			if err != nil && label != labelCurrent && to != "" {
				err = self.move(self.ctx, self.arn, label, "", to)
			}
			if err != nil {`)}},
		{"aws: AWSCURRENT moved from wherever it is", tests, edits{store("displace").replaces("return self.shift(labelCurrent, a.version)", `st, err := self.describeSecret(self.ctx)
			if err != nil {
				return err
			}
			self.labels[labelCurrent] = st.labels[labelCurrent]
			return self.shift(labelCurrent, a.version)`)}},
		{"aws: a move whose answer was lost is repeated", tests, edits{store("move").drops(", onlyThrottled")}},
		{"aws: a standing previous version is not kept", tests, edits{store("announce").never(`a.standing != ""`)}},
		{"aws: the first version is taken for promoted", tests, edits{store("unpromoted").returns("false")}},
		{"aws: two reservations, one of them hidden", tests, edits{store("contested").always("len(self.reserved) < 2")}},
		{"aws: promotion times cut down", tests, edits{store("stamp").replaces("at = at.Add(time.Millisecond)", "at = at.Add(0)")}},
		{"aws: another owner's secret taken over", tests, edits{store("describeSecret").never("owner != self.owner")}},
		{"aws: AWS's words on a call with a value in it", tests, edits{store("failed").always("carriesValue(action)")}},
		{"aws: an unreadable answer in an error", tests, edits{store("unanswered").replaces(`fmt.Errorf("%w: %s: the answer cannot be read", secretstore.ErrUnavailable, action)`, `fmt.Errorf("%w: %s: %w", secretstore.ErrUnavailable, action, err)`)}},
	}
}
