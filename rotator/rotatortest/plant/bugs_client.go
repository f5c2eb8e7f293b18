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
		{"client: retry of the POST", tests, edits{client("CreateKey").replaces("c.attempt(ctx, c.admin(request{op: op, method: http.MethodPost, route: routeKeys, body: body}))", "c.repeat(ctx, c.admin(request{op: op, method: http.MethodPost, route: routeKeys, body: body}), c.options.RetryBudget)")}},
		{"client: a POST on a connection that was used before", tests, edits{client("clientFor").never("http.MethodPost")}},
	}
}
