package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
)

const newKey = `{"name":"failing","scopes":["campaigns:read"]}`

// failing gives a sandbox with one rule, which applies to a create.
func failing(t *testing.T, r sandbox.Rule) (*sandbox.Server, client) {
	t.Helper()
	srv, admin := inProcess(t, sandbox.Options{})
	r.Method, r.Route = http.MethodPost, keysPath
	srv.Inject(r)
	return srv, admin
}

func TestRuleInjectsBeforeOrAfterTheEffect(t *testing.T) {
	for _, kind := range []sandbox.Kind{
		sandbox.KindDrop, sandbox.KindHang, sandbox.KindStatus, sandbox.KindTruncated, sandbox.KindHuge,
		sandbox.KindNotJSON, sandbox.KindWrongType, sandbox.KindEmpty, sandbox.KindErrorInSuccess,
	} {
		for when, keys := range map[sandbox.Moment]int{sandbox.Before: 1, sandbox.After: 2} {
			t.Run(string(kind)+" "+string(when), func(t *testing.T) {
				rule := sandbox.Rule{Kind: kind, When: when}
				if kind == sandbox.KindHang {
					rule.For = time.Millisecond
				}
				if kind == sandbox.KindStatus {
					rule.Status = http.StatusBadGateway
				}
				srv, admin := failing(t, rule)
				a := admin.post(newKey)
				if a.err == nil && a.status == http.StatusOK && strings.Contains(a.text, `"key":"`) {
					t.Error("the call was answered as if nothing had been")
				}
				if got := len(srv.Keys(sandbox.DefaultWorkspaceID)); got != keys {
					t.Errorf("there are %d keys; want %d", got, keys)
				}
				if srv.Injected() != 1 {
					t.Errorf("%d faults were injected", srv.Injected())
				}
			})
		}
	}
}

func TestDropClosesTheConnection(t *testing.T) {
	_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindDrop})
	wantLost(t, admin.post(newKey))
	wantStatus(t, admin.post(newKey), http.StatusOK)
}

func TestDropClosesASocket(t *testing.T) {
	srv, _ := failing(t, sandbox.Rule{Kind: sandbox.KindDrop, When: sandbox.After, Times: -1})
	wantLost(t, overSocket(t, srv).post(newKey))
}

func TestHangLastsUntilTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindHang})
		admin.http.Timeout = time.Hour
		start := time.Now()
		a := admin.post(newKey)
		if !errors.Is(a.err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("ended after %v with %v", time.Since(start), a.err)
		}
	})
}

func TestHangEndsWithADroppedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindHang, For: time.Minute})
		start := time.Now()
		wantLost(t, admin.post(newKey))
		if took := time.Since(start); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestDelayGoesOnAfterwards(t *testing.T) {
	for _, when := range []sandbox.Moment{sandbox.Before, sandbox.After} {
		synctest.Test(t, func(t *testing.T) {
			srv, admin := failing(t, sandbox.Rule{Kind: sandbox.KindDelay, For: time.Minute, When: when})
			start := time.Now()
			wantStatus(t, admin.post(newKey), http.StatusOK)
			if took := time.Since(start); took != time.Minute {
				t.Errorf("%s: took %v", when, took)
			}
			created := srv.Keys(sandbox.DefaultWorkspaceID)[1].Created.Sub(start)
			if want := map[sandbox.Moment]time.Duration{sandbox.Before: time.Minute}[when]; created != want {
				t.Errorf("%s: the effect came after %v; want %v", when, created, want)
			}
		})
	}
}

func TestStatusSendsWhatItIsTold(t *testing.T) {
	_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindStatus, Status: 429, Body: `{"error":"slow"}`,
		Header: map[string]string{"Retry-After": "7"}})
	a := admin.post(newKey)
	wantStatus(t, a, 429)
	got := []string{a.text, a.header.Get("Retry-After"), a.header.Get("Content-Type")}
	if d := cmp.Diff([]string{`{"error":"slow"}`, "7", "application/json; charset=utf-8"}, got); d != "" {
		t.Error(d)
	}
}

func TestStatusWithoutABodySpeaksAsTheAPI(t *testing.T) {
	_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindStatus, Status: 402})
	wantError(t, admin.post(newKey), 402, "Workspace does not have an active paid plan")
}

func TestStatusSendsOtherTextAsPlain(t *testing.T) {
	_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindStatus, Status: 502, Body: "bad gateway"})
	a := admin.post(newKey)
	if a.text != "bad gateway" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("got %q as %q", a.text, a.header.Get("Content-Type"))
	}
}

func TestTruncatedEndsInTheMiddleOfTheBody(t *testing.T) {
	_, admin := failing(t, sandbox.Rule{Kind: sandbox.KindTruncated, When: sandbox.After})
	a := admin.post(newKey)
	wantLost(t, a)
	if a.status != http.StatusOK || !strings.HasPrefix(a.text, `{"id":"`) || strings.HasSuffix(a.text, "}") {
		t.Errorf("got status %d, body %q", a.status, a.text)
	}
}

func TestHugeIsJSONBeyondReason(t *testing.T) {
	srv, _ := failing(t, sandbox.Rule{Kind: sandbox.KindHuge})
	a := overSocket(t, srv).post(newKey)
	wantStatus(t, a, http.StatusOK)
	if len(a.text) < 32<<20 || !strings.HasPrefix(a.text, `{"name":"xxx`) || !strings.HasSuffix(a.text, `xxx"}`) {
		t.Errorf("got %d bytes", len(a.text))
	}
}

func TestSpoiltBodiesAreWhatTheySay(t *testing.T) {
	for kind, is := range map[sandbox.Kind]func(a answer) bool{
		sandbox.KindNotJSON: func(a answer) bool {
			return !json.Valid([]byte(a.text)) && strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
		},
		sandbox.KindWrongType: func(a answer) bool {
			return json.Valid([]byte(a.text)) && json.Unmarshal([]byte(a.text), &apiKey{}) != nil &&
				json.Unmarshal([]byte(a.text), &listPage[apiKey]{}) != nil
		},
		sandbox.KindEmpty:          func(a answer) bool { return a.text == "" },
		sandbox.KindErrorInSuccess: func(a answer) bool { return a.text == `{"error":"ACC_NOT_FOUND"}` },
	} {
		t.Run(string(kind), func(t *testing.T) {
			_, admin := failing(t, sandbox.Rule{Kind: kind})
			a := admin.post(newKey)
			wantStatus(t, a, http.StatusOK)
			if !is(a) {
				t.Errorf("got %s: %q", a.header.Get("Content-Type"), a.text)
			}
		})
	}
}

func TestTrickleSendsAByteAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, admin := inProcess(t, sandbox.Options{})
		srv.Inject(sandbox.Rule{Kind: sandbox.KindTrickle, When: sandbox.After, Route: "/api/v2/accounts"})
		start := time.Now()
		admin = admin.as(admin.create("worker", "accounts:read").Key)
		a := admin.get("/api/v2/accounts")
		wantStatus(t, a, http.StatusOK)
		if want := time.Duration(len(a.text)) * time.Second; time.Since(start) != want {
			t.Errorf("%d bytes took %s", len(a.text), time.Since(start))
		}
	})
}

// statuses makes six calls to two routes in turn.
func statuses(c client) []int {
	var got []int
	for range 3 {
		got = append(got, c.get(keysPath).status, c.get("/api/v2/accounts").status)
	}
	return got
}

func TestRuleCountsTheCallsThatMatch(t *testing.T) {
	bad := func(r sandbox.Rule) sandbox.Rule { r.Kind, r.Status = sandbox.KindStatus, 500; return r }
	for name, c := range map[string]struct {
		rules []sandbox.Rule
		want  []int
	}{
		"next call":           {[]sandbox.Rule{bad(sandbox.Rule{})}, []int{500, 200, 200, 200, 200, 200}},
		"third call":          {[]sandbox.Rule{bad(sandbox.Rule{Nth: 3})}, []int{200, 200, 500, 200, 200, 200}},
		"two from the second": {[]sandbox.Rule{bad(sandbox.Rule{Nth: 2, Times: 2})}, []int{200, 500, 500, 200, 200, 200}},
		"all from the fourth": {[]sandbox.Rule{bad(sandbox.Rule{Nth: 4, Times: -1})}, []int{200, 200, 200, 500, 500, 500}},
		"second of a route":   {[]sandbox.Rule{bad(sandbox.Rule{Nth: 2, Route: "/api/v2/accounts"})}, []int{200, 200, 200, 500, 200, 200}},
		"of another method":   {[]sandbox.Rule{bad(sandbox.Rule{Method: "POST"})}, []int{200, 200, 200, 200, 200, 200}},
		"a pair":              {[]sandbox.Rule{bad(sandbox.Rule{Nth: 2}), bad(sandbox.Rule{Nth: 5})}, []int{200, 500, 200, 200, 500, 200}},
		"two due, first wins": {[]sandbox.Rule{bad(sandbox.Rule{Nth: 2}), {Nth: 2, Kind: sandbox.KindStatus, Status: 503}}, []int{200, 500, 200, 200, 200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			srv, admin := inProcess(t, sandbox.Options{})
			admin.t = t
			for _, r := range c.rules {
				srv.Inject(r)
			}
			if d := cmp.Diff(c.want, statuses(admin)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestClearedRulesInjectNoMore(t *testing.T) {
	srv, admin := inProcess(t, sandbox.Options{})
	srv.Inject(sandbox.Rule{Kind: sandbox.KindDrop, Times: -1})
	wantLost(t, admin.get(keysPath))
	srv.ClearRules()
	wantStatus(t, admin.get(keysPath), http.StatusOK)
}

func TestRuleSurvivesJSON(t *testing.T) {
	want := sandbox.Rule{Method: "POST", Route: keysPath, Nth: 2, Times: 3, When: sandbox.After,
		Kind: sandbox.KindHang, Status: 500, Body: "x", Header: map[string]string{"A": "b"}, For: time.Minute}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got sandbox.Rule
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestImpossibleRulesAreNamed(t *testing.T) {
	for part, r := range map[string]sandbox.Rule{
		`kind is ""`:            {},
		`kind is "explode"`:     {Kind: "explode"},
		`when is "during"`:      {Kind: sandbox.KindDrop, When: "during"},
		`nth is -1`:             {Kind: sandbox.KindDrop, Nth: -1},
		`status is 0`:           {Kind: sandbox.KindStatus},
		`with kind status only`: {Kind: sandbox.KindDrop, Body: "x"},
		`for goes with`:         {Kind: sandbox.KindDrop, For: 1},
		`delay needs for`:       {Kind: sandbox.KindDelay},
		`no route "GET" "/x"`:   {Kind: sandbox.KindDrop, Method: "GET", Route: "/x"},
	} {
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got %v", part, err)
		}
	}
}
