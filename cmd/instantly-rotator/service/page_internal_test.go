package service

import (
	"errors"
	"testing"
	"time"
)

// TestThePageTellsSinceWhenTheConfigurationIsRefused: it is read again whenever a file it is
// made of changes, and at each SIGHUP.
func TestThePageTellsSinceWhenTheConfigurationIsRefused(t *testing.T) {
	begin := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	now := begin
	s := &Service{Options: Options{Now: func() time.Time { return now }}}
	for _, c := range []struct {
		what  string
		after time.Duration
		err   string
		since time.Duration
	}{
		{"refused", 0, "keys[0].scopes: is empty\nkeys[0].grace: is too long", 0},
		{"refused for the same again", 2 * time.Hour, "keys[0].scopes: is empty", 0},
		{"and again", 3 * time.Hour, "keys[0].scopes: is empty", 0},
		{"refused for something else", 4 * time.Hour, "stores: is missing", 4 * time.Hour},
		{"for what was wrong before", 5 * time.Hour, "keys[0].scopes: is empty", 5 * time.Hour},
	} {
		now = begin.Add(c.after)
		s.refuse(errors.New(c.err))
		if want := begin.Add(c.since); !s.refused.since.Equal(want) {
			t.Errorf("%s: refused since %s, want %s", c.what, s.refused.since, want)
		}
	}
}
