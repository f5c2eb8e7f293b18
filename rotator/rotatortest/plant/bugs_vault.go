package main

// vaultBugs are those of the store in a KV engine.
func vaultBugs() []bug {
	store := within("secretstore/vaultkv")
	const (
		late     = "./secretstore/vaultkv CannotArriveLate"
		killed   = "./secretstore/vaultkv KilledAtEachCall"
		hands    = "./secretstore/vaultkv TestHands|TakenAway|NeverPendingAgain"
		contract = "./secretstore/vaultkv TestContract"
	)
	return []bug{
		{"vault: announced promotion arrives late", late, edits{store("Store.write").never("v.open")}},
		{"vault: promotion believed before consumers see it", killed, edits{store("viewOf").replaces("landed := false", "landed := true")}},
		{"vault: promotion not believed when consumers see it", contract, edits{store("viewOf").replaces("if landed {", "if landed && false {")}},
		{"vault: key that was current is pending again", hands, edits{store("landed").replaces("return true, nil", "return false, nil")}},
		{"vault: deletion by hand overlooked", hands, edits{store("revision").never("self.public.deleted")}},
		{"vault: key taken away can still be read", hands, edits{store("currentGone").drops("delete(known, current.ID)")}},
		{"vault: written without a comparison", contract, edits{store("wire").drops(`"options": map[string]int{"cas": cas},`)}},
		{"vault: old values left in old versions", "./secretstore/vaultkv InNoOldVersion", edits{store("commit").replaces("self.destroyOld(ctx, v, c.destroys)", "error(nil)")}},
		{"vault: states of before are kept", "./secretstore/vaultkv InNoOldVersion", edits{store("prepare").replaces(`"max_versions": 1,`, "")}},
		{"vault: copy of a state believed", "./secretstore/vaultkv ACopyOfTheState", edits{store("stateOf").never("st.Place != self.place")}},
		{"vault: another owner's secret taken over", "./secretstore/vaultkv AnotherOwner", edits{store("stateOf").never("st.Owner != self.o.Owner")}},
		{"vault: deleted state taken for none", "./secretstore/vaultkv ADeletedState", edits{store("stateOf").never("stored.deleted")}},
		{"vault: standby that is behind believed", "./secretstore/vaultkv StandbyThatIsBehind", edits{store("checkOrder").replaces("v.public.version >= v.state.Seen", "true")}},
		{"vault: a proxy's page shown", "./secretstore/vaultkv AProxyRepeats", edits{store("newAnswer").never("res.RawError")}},
		{"vault: a gateway's answer shown", "./secretstore/vaultkv AGatewayRepeats", edits{store("without").never("slices.ContainsFunc")}},
		{"vault: token not renewed at a start", "./secretstore/vaultkv PeriodicToken|RenewedAtAStart", edits{store("begin").drops("self.renew(ctx, now)")}},
		{"vault: good token given up with a login that fails", "./secretstore/vaultkv WhileNoneCanBeHad", edits{store("replace").never("now.Before(self.session.ends)")}},
		{"vault: write sent again", "./secretstore/vaultkv AWriteIsSentOnce", edits{store("Connect").replaces("address, callTimeout, 0", "address, callTimeout, 2")}},
		{"vault: expired token kept", "./secretstore/vaultkv BeforeItExpires", edits{store("authenticateAnew").replaces("now.Sub(self.session.since) < oldEnough", "true")}},
		{"vault: engine that does not compare believed", "./secretstore/vaultkv DoesNotCompare", edits{store("engine.write").never("m.Version != cas+1")}},
	}
}
