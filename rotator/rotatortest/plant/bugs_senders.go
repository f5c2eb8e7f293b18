package main

// sendersBugs are those of secrets that are sent.
func sendersBugs() []bug {
	engine := within("rotator")
	const tests = "./rotator Sen[dt]"
	webhooks := within("rotator/webhooksecret")
	return []bug{
		{"senders: a header of another format is written back in ours", "./rotator/webhooksecret AHeaderOf", edits{webhooks("secretOf").replaces("verbatim + header.Reveal()", "header.Reveal()")}},
		{"senders: a switch that was stopped midway keeps its time", "./rotator Slept", edits{engine("setSender").replaces("snap, late := self.promoteLate(ctx, self.primary().Snapshot, Step{ID: cur.ID}, bound, nil)", "snap, late := self.primary().Snapshot, error(nil)")}},
		{"senders: one is switched before the value is promoted", tests, edits{engine("pendingSent").replaces("return self.verifyAndPromote(0, ver)", `for i, s := range self.Senders {
			if s.Carries == CarriesCurrent {
				return act(Step{Verb: Switch, Sender: i, ID: ver.ID, Reason: "receivers will have it soon"})
			}
		}
		return self.verifyAndPromote(0, ver)`)}},
		{"senders: one is switched back to a value that is destroyed", "./rotator InTrouble", edits{engine("view.switchBack").replaces("!self.HadOther[s.ID]", "!self.Switched[s.ID]")}},
		{"senders: a clock that is ahead hides what was refused", "./rotator Refusals", edits{engine("switchedSince").replaces("v.switchedFrom().Add(-clockMargin)", "v.switchedFrom()")}},
		{"senders: one is switched before receivers have read the value", tests, edits{engine("settledAt").replaces("has.Promoted.Add(self.policy.Settle)", "has.Promoted")}},
		{"senders: receivers are told of a value when it is sent", "./rotator Told", edits{engine("receiversBehind").never("known && !a.passes()")}},
		{"senders: the previous value goes before the last is switched", tests, edits{engine("forget").never("!all")}},
		{"senders: the previous value goes before the last is confirmed", tests, edits{engine("forget").never("self.unconfirmed()")}},
		{"senders: one that is refused is not switched back", tests, edits{engine("confirmSenders").replaces("return self.switchBack(i, s, t)", "continue")}},
		{"senders: what was sent late is not waited for", tests, edits{engine("setSender").replaces("begun.Add(bound)", "self.primary().Versions[secretstore.Current].Promoted")}},
		{"senders: a rotation begins while two values are accepted", tests, edits{engine("previousStands").always("!stands")}},
		{"senders: what they send is compared with versions of before", tests, edits{engine("readSenders").never("self.Against != self.against()")}},
		{"senders: one that somebody changed is switched", tests, edits{engine("toSwitch").replaces("s.Carries == CarriesOther && self.emergency()", "s.Carries == CarriesOther")}},
		{"senders: one is resumed that was turned off for something else", "./rotator/webhooksecret ForSomethingElse", edits{engine("turnedOffForSecret").replaces("return refused, nil", "return refused || err == nil, nil")}},
		{"senders: it is forgotten with the next rotation for what one was turned off", "./rotator/webhooksecret TurnedOffForIts", edits{engine("turnedOffForSecret").replaces("s.OffSince.IsZero()", "self.offBefore(s)")}},
		{"senders: one is resumed with the previous value, which was refused", "./rotator/webhooksecret TurnedOffForIts", edits{engine("view.resumeSenders").replaces("s.Carries == CarriesPrevious && !s.Before", "s.Carries == CarriesPrevious")}},
		{"senders: the previous value goes by a view that is out of date", "./rotator GoesOnlyAsTheStore", edits{engine("run.destroyVersion").never("self.Sent")}},
		{"senders: a test delivery confirms what another process has it send", "./rotator/webhooksecret ATestDelivery", edits{webhooks("Webhooks.unchanged").replaces("!same(value, s.Value)", "value.IsZero()")}},
		{"senders: none is current, and the pending value is never promoted again", "./rotator APendingValueIsPromoted", edits{engine("view.pendingSent").always("has || self.accepted(ver.ID) > 2")}},
		{"senders: headers of others are dropped", "./rotator/webhooksecret Twenty", edits{webhooks("Webhooks.headers").replaces("headers[name] = v", "_ = v")}},
		{"senders: a refused test delivery is taken for an accepted one", "./rotator/webhooksecret Never", edits{webhooks("refuses").returns("false")}},
		{"senders: headers that are not shown are written back", "./rotator/webhooksecret NotShown", edits{webhooks("field").never("isHidden(value)")}},
	}
}
