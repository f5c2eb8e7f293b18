package main

// clientBugs are those of the API client.
func clientBugs() []bug {
	client := within("instantly")
	const (
		tests = "./instantly ."
	)
	return []bug{
		{"client: 402 taken for a dead key", tests, edits{client("classOf").replaces("ErrPlan", "ErrUnauthorized")}},
		{"client: any 401 taken for a dead key", tests, edits{client("classOfUnauthorized").replaces("ErrScope", "ErrUnauthorized")}},
		{"client: a success believed by its status alone", tests, edits{client("testCall").never("p.answers != nil && !p.answers(got.body)")}},
		{"client: an error beside a success overlooked", tests, edits{client("classify").replaces("errorInSuccess(op, got, hide)", "nil")}},
		{"client: an id that is a path taken from a create", tests, edits{client("decodeCreated").never("!isID(k.ID)")}},
		{"client: an id that is a path taken from the list", tests, edits{client("Keys").never("!isID(k.ID)")}},
		{"client: a list without an end by time", tests, edits{client("listUntil").replaces("took > maxListTime", "false")}},
		{"client: a slow answer asked for again", tests, edits{client("retryable").replaces("errors.Is(err, errTimedOut)", "false")}},
		{"client: retry of the POST", tests, edits{client("once").replaces("self.pacedAttempt(ctx, self.admin(r))", "self.withRetries(ctx, self.admin(r), self.options.RetryBudget)")}},
		{"client: a webhook's header told", "./instantly NoTextTellsAHeader", edits{client("hiding").replaces("r.confidential...", "secret.Value{}")}},
		{"client: a webhook read in part", "./instantly ThatIsNoText", edits{client("secretHeaders.UnmarshalJSON").never("text == nil")}},
		{"client: a create that may have been done is sent again with another admin key", "./instantly MayHaveBeenDone", edits{client("pacedAttempt").replaces("errors.Is(err, ErrUnauthorized)", "err != nil")}},
		{"client: a POST on a connection that was used before", tests, edits{client("clientFor").replaces("method == http.MethodPost", "false")}},
	}
}
