package setup_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/setup"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// agency serves an agency's workspace with a sub workspace, and gives a survey of its
// admin key, which has those scopes.
func agency(t *testing.T, given setup.Given, scopes ...string) (*setup.Survey, *sandbox.Server) {
	t.Helper()
	server, err := sandbox.Open(sandbox.Options{Workspaces: []sandbox.Workspace{
		{ID: "agency", Name: "Agency\n  evil: true", AdminKey: secret.New("the-agency-s-admin-key"), AdminScopes: scopes},
		{ID: "client", Name: "Client GmbH", Parent: "agency"},
		{ID: "asked", Name: "Not yet", Parent: "agency", Invitation: sandbox.InvitationPending},
	}})
	if err != nil {
		t.Fatal(err)
	}
	serving := httptest.NewServer(server)
	t.Cleanup(serving.Close)
	given.Store, given.AdminKey, given.BaseURL = "file", "env:AGENCY_KEY", serving.URL
	getenv := func(name string) string { return map[string]string{"AGENCY_KEY": "the-agency-s-admin-key"}[name] }
	return &setup.Survey{File: file, Given: given, Getenv: getenv, Now: time.Now}, server
}

func TestAnAgencysSubWorkspacesAreOffered(t *testing.T) {
	s, _ := agency(t, setup.Given{Keys: []string{"a=analytics"}})
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := textOf(t, got.Answers)
	if !strings.Contains(text, "\n  #   client  Client GmbH\n") || strings.Contains(text, "asked") || strings.Contains(text, "\n  evil: true") {
		t.Errorf("the file is\n%s", text)
	}
	s, _ = agency(t, setup.Given{})
	s.Person = typed("", "1", "", "", "", "-")
	if got, err = s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := got.Answers.Workspace
	if w.AsWorkspace != "client" || w.OrganizationID != "client" || w.Name != "client-gmbh" {
		t.Errorf("got %+v", w)
	}
}

// TestAnAdminKeyThatMayNotAskForItsWorkspace still lists keys, which say whose they are.
func TestAnAdminKeyThatMayNotAskForItsWorkspace(t *testing.T) {
	s, _ := agency(t, setup.Given{Keys: []string{"a=analytics"}}, "api_keys:all")
	got, err := s.Run(t.Context())
	if err != nil || got.Unread != nil || got.Answers.Workspace.OrganizationID != "agency" || got.Answers.Workspace.Name != "main" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAKeyThatMayDoNearlyEverythingIsNotTakenOver(t *testing.T) {
	s, server := agency(t, setup.Given{})
	for _, k := range []struct{ name, scope string }{{"Send!", "leads:all"}, {"send", "leads:read"}, {"root", "all:all"}, {"日本", "leads:read"}} {
		if _, err := server.AddKey("agency", k.name, k.scope); err != nil {
			t.Fatal(err)
		}
	}
	s.Person = typed("", "", "", "4", "9", "2,3,5", "-")
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range got.Answers.Keys {
		names = append(names, k.Name+" "+strings.Join(k.Scopes, ","))
	}
	if want := "send leads:all; send-2 leads:read; 2 leads:read"; strings.Join(names, "; ") != want {
		t.Errorf("got %q, want %q", names, want)
	}
}
