// Package page is what the daemon shows a person in a browser: whether all consumers hold
// working keys, what needs somebody, where each key is in its life, and what an auditor
// asks for. It is drawn from the same picture as "status" and changes nothing.
//
// In this package: site.go (what is served, and to whom), session.go (who has signed in),
// source.go (what it is drawn from), overview.go, causes.go and life.go (the main page),
// target.go, history.go and timeline.go (a target's page), auditor.go and download.go,
// text.go (commands in texts), templates/ and assets/.
//
// Pages have no script or style of their own, load nothing from elsewhere, and say all
// they have to say without a script.
package page
