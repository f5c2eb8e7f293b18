package main

// azureBugs are those of the store in Azure Key Vault.
func azureBugs() []bug {
	store := within("secretstore/azurekeyvault")
	const suite = "./secretstore/azurekeyvault "
	return []bug{
		{"azure: written without comparing", suite + "TwoWriters", edits{store("write").never("t.v.revision() != seen.Revision")}},
		{"azure: late promotion stays on top", suite + "ComesLate", edits{store("promote").never("now.version != self.v.stateAt")}},
		{"azure: sent after a sleep", suite + "Slept", edits{store("inTime").never("age > window")}},
		{"azure: set sent again", suite + "AskedTwice", edits{store("ConnectAs").drops("Retry: policy.RetryOptions{MaxRetries: -1},")}},
		{"azure: copied tags believed", suite + "WhatPeopleDo", edits{store("stored").replaces("is && pending.Held.Digest == digest &&", "is &&")}},
		{"azure: old version left enabled", suite + "VersionsOfOthers", edits{store("following").never("!stays")}},
		{"azure: version of others disabled", suite + "VersionsOfOthers", edits{store("following").replaces("!stays && !old.Foreign &&", "!stays &&")}},
		{"azure: disabled version taken for a refusal", suite + "WhatPeopleDo|ADisabled", edits{store("Client.get").never(`"SecretDisabled"`)}},
		{"azure: deleted secret taken for none", suite + "ADeleted", edits{store("read").never("gone")}},
		{"azure: another owner's secret taken over", suite + "AnotherOwner", edits{store("viewOf").never("v.state.Owner != self.o.Owner")}},
		{"azure: the vault's message repeats the value", suite + "RepeatsTheValue", edits{store("Client.set").replaces("e.without(s.value, s.within)", "e")}},
		{"azure: a primary in Key Vault", "./cmd/instantly-rotator/config EachMistake", edits{within("cmd/instantly-rotator/config")("primary").never(`why != ""`)}},
	}
}
