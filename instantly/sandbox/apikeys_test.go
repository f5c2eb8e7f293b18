package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestCreatedKeyIsDescribedAndWorksAtOnce(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "campaigns:read", "leads:all")
	want := apiKey{ID: k.ID, Name: "worker", Scopes: []string{"campaigns:read", "leads:all"}, Key: k.Key,
		OrganizationID: sandbox.DefaultWorkspaceID, Created: k.Created}
	if d := cmp.Diff(want, k); d != "" {
		t.Error(d)
	}
	wantStatus(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusOK)
	if !srv.Alive(secret.New(k.Key)) {
		t.Error("the sandbox does not take the key for alive")
	}
}

func TestValueHasTheFormatSeenInPublic(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker")
	plain, err := base64.StdEncoding.DecodeString(k.Key)
	if err != nil || len(k.Key) != 68 || !strings.HasSuffix(k.Key, "==") || plain[36] != ':' {
		t.Errorf("value is no base64 of <uuid>:<random> with 68 characters: %v", err)
	}
	if strings.Contains(string(plain), k.ID) {
		t.Error("the value tells the key's id, which nothing documents")
	}
}

func TestNamesMayRepeat(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	if a, b := admin.create("twin"), admin.create("twin"); a.ID == b.ID || a.Key == b.Key {
		t.Error("two keys of one name are the same key")
	}
}

func TestCreateValidatesAsAjvDoes(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for body, message := range map[string]string{
		`[]`:            "body must be object",
		`null`:          "body must be object",
		`{"scopes":[]}`: "body must have required property 'name'",
		`{"name":"x"}`:  "body must have required property 'scopes'",
		`{"name":"x","scopes":[],"expires_at":1}`: "body must NOT have additional properties",
		`{"name":1,"scopes":[]}`:                  "body/name must be string",
		`{"name":"x","scopes":"all:all"}`:         "body/scopes must be array",
		`{"name":"x","scopes":["all:all",1]}`:     "body/scopes/1 must be string",
	} {
		t.Run(body, func(t *testing.T) {
			admin.t = t
			wantError(t, admin.post(body), http.StatusBadRequest, message)
		})
	}
}

func TestUnknownScopeIsTakenAsItIs(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	if k := admin.create("worker", "supersearch_enrichments:all"); len(k.Scopes) != 1 {
		t.Errorf("scopes are %v", k.Scopes)
	}
}

func TestDeletedKeyIsRefusedAndUnlisted(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "campaigns:read")
	deleted := admin.del(k.ID)
	wantStatus(t, deleted, http.StatusOK)
	if got := decode[apiKey](t, deleted); got.ID != k.ID {
		t.Errorf("the answer describes key %s", got.ID)
	}
	wantError(t, admin.as(k.Key).get("/api/v2/campaigns"), http.StatusUnauthorized, "Invalid API key")
	page := decode[listPage[apiKey]](t, admin.get(keysPath))
	if d := cmp.Diff([]string{"admin"}, names(page.Items, keyName)); d != "" {
		t.Error(d)
	}
	if records := srv.Keys(sandbox.DefaultWorkspaceID); len(records) != 2 || records[1].Deleted.IsZero() {
		t.Error("the record of the deleted key is gone")
	}
}

func TestDeletingWhatIsNotThereIsNotFound(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker")
	wantStatus(t, admin.del(k.ID), http.StatusOK)
	for _, id := range []string{k.ID, "01980000-0000-7000-8000-000000000000", "no-uuid"} {
		wantError(t, admin.del(id), http.StatusNotFound, "API key not found")
	}
}

func TestKeyMayDeleteItself(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker", "api_keys:delete")
	wantStatus(t, admin.as(k.Key).del(k.ID), http.StatusOK)
	wantStatus(t, admin.as(k.Key).del(k.ID), http.StatusUnauthorized)
}

func TestDeleteTakesNoBodyOrNull(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	k := admin.create("worker")
	wantError(t, admin.send(http.MethodDelete, keysPath+"/"+k.ID, `{}`), http.StatusBadRequest, "body must be null")
	wantStatus(t, admin.send(http.MethodDelete, keysPath+"/"+k.ID, `null`), http.StatusOK)
}

// listAll reads a list to its end, at most 100 pages.
func listAll(t *testing.T, c client, limit int) []string {
	t.Helper()
	var all []string
	after := ""
	for range 100 {
		page := decode[listPage[apiKey]](t, c.get(fmt.Sprintf("%s?limit=%d&starting_after=%s", keysPath, limit, after)))
		all = append(all, names(page.Items, keyName)...)
		if after = page.Next; after == "" {
			return all
		}
	}
	t.Fatal("the list has no end")
	return nil
}

func TestPagesGiveEveryKeyOnce(t *testing.T) {
	for _, order := range []sandbox.ListOrder{sandbox.OldestFirst, sandbox.NewestFirst} {
		for _, limit := range []int{1, 2, 3, 5, 6, 100} {
			t.Run(fmt.Sprintf("%s in pages of %d", order, limit), func(t *testing.T) {
				srv, admin := inProcess(t, sandbox.Options{})
				srv.SetFaults(sandbox.Faults{ListOrder: order})
				for _, name := range []string{"a", "b", "gone", "c", "d"} {
					if k := admin.create(name); name == "gone" {
						admin.del(k.ID)
					}
				}
				want := []string{"admin", "a", "b", "c", "d"}
				if order == sandbox.NewestFirst {
					want = []string{"d", "c", "b", "a", "admin"}
				}
				if d := cmp.Diff(want, listAll(t, admin, limit)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestPagesGoOnWhenTheCursorsKeyIsDeleted(t *testing.T) {
	for _, order := range []sandbox.ListOrder{sandbox.OldestFirst, sandbox.NewestFirst} {
		t.Run(string(order), func(t *testing.T) {
			srv, admin := inProcess(t, sandbox.Options{})
			srv.SetFaults(sandbox.Faults{ListOrder: order})
			admin.create("a")
			middle := admin.create("b")
			admin.create("c")
			admin.del(middle.ID)
			want := map[sandbox.ListOrder][]string{
				sandbox.OldestFirst: {"c"}, sandbox.NewestFirst: {"a", "admin"},
			}[order]
			page := decode[listPage[apiKey]](t, admin.get(keysPath+"?starting_after="+middle.ID))
			if d := cmp.Diff(want, names(page.Items, keyName)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnknownCursorGivesAnEmptyPage(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	if a := admin.get(keysPath + "?starting_after=nothing"); a.text != `{"items":[]}` {
		t.Errorf("got %s", a.text)
	}
}

func TestLimitIsOneToAHundred(t *testing.T) {
	_, admin := inProcess(t, sandbox.Options{})
	for limit, message := range map[string]string{
		"0": "querystring/limit must be >= 1", "101": "querystring/limit must be <= 100",
		"ten": "querystring/limit must be integer",
	} {
		wantError(t, admin.get(keysPath+"?limit="+limit), http.StatusBadRequest, message)
	}
	wantStatus(t, admin.get(keysPath+"?limit=100"), http.StatusOK)
}
