// Package members knows who is in the workspaces, and what somebody who leaves could
// know: it removes them, and has that replaced.
//
// In this package: members.go (who is there), knowledge.go (what they could know: pure),
// offboard.go (a leaving, from finding out to its report), left.go (who has left without
// us).
package members

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// Workspace is what is asked of the API about one.
type Workspace interface {
	Members(ctx context.Context) ([]instantly.Member, error)
	DeleteMember(ctx context.Context, id string) error
	AuditLogs(ctx context.Context, q instantly.AuditQuery) ([]instantly.AuditLog, error)
	Keys(ctx context.Context) ([]instantly.Key, error)
}

// Listing is who is in one workspace.
type Listing struct {
	Workspace string
	Members   []Member
	// Err is why it is not known who is there, and LogErr when they were last seen.
	Err, LogErr error
}

// Member is somebody in a workspace.
type Member struct {
	instantly.Member
	// Seen is when the audit log last has them; zero if it has them not.
	Seen time.Time
}

// SeenWithin is how far back the audit log is read for when somebody was last seen.
const SeenWithin = 30 * 24 * time.Hour

// errLogEmpty: an audit log without an entry is taken for none.
var errLogEmpty = errors.New("the audit log is empty: the plan may not have one")

// List tells who is in a workspace.
func List(ctx context.Context, name string, ws Workspace, now time.Time) Listing {
	l := Listing{Workspace: name}
	all, err := ws.Members(ctx)
	if err != nil {
		l.Err = err
		return l
	}
	logs, err := ws.AuditLogs(ctx, instantly.AuditQuery{Since: now.Add(-SeenWithin)})
	switch {
	case err != nil:
		l.LogErr = err
	case len(logs) == 0:
		l.LogErr = errLogEmpty
	}
	for _, m := range all {
		l.Members = append(l.Members, Member{m, lastSeen(Person{Address: m.Email, UserIDs: []string{m.UserID}}, logs)})
	}
	slices.SortFunc(l.Members, func(x, y Member) int { return strings.Compare(x.Email, y.Email) })
	return l
}

func lastSeen(p Person, logs []instantly.AuditLog) (seen time.Time) {
	for _, l := range logs {
		if p.Is(l) && l.At.After(seen) {
			seen = l.At
		}
	}
	return seen
}

// Place is a membership of somebody.
type Place struct {
	Workspace string
	instantly.Member
}

// remove ends a membership, and makes sure that it has ended.
func remove(ctx context.Context, ws Workspace, p Place) error {
	if err := ws.DeleteMember(ctx, p.ID); err != nil {
		return err
	}
	all, err := ws.Members(ctx)
	if err != nil {
		return fmt.Errorf("removed, but not seen to be gone: %w", err)
	}
	if slices.ContainsFunc(all, func(m instantly.Member) bool { return m.ID == p.ID }) {
		return errors.New("the API says that it was removed, and lists it still")
	}
	return nil
}
