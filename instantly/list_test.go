package instantly_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func keyItem(id string) string { return fmt.Sprintf(`{"id":%q,"name":"n-%s"}`, id, id) }

func pageOf(next string, items ...string) string {
	return fmt.Sprintf(`{"items":[%s],"next_starting_after":%q}`, strings.Join(items, ","), next)
}

func ids(keys []instantly.Key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.ID)
	}
	return all
}

func TestListReadsToTheLastPage(t *testing.T) {
	for name, last := range map[string]string{
		"no cursor":            `{"items":[` + keyItem("c") + `]}`,
		"null cursor":          `{"items":[` + keyItem("c") + `],"next_starting_after":null}`,
		"empty cursor":         pageOf("", keyItem("c")),
		"cursor on an extra":   pageOf("z", keyItem("c")),
		"unknown fields":       `{"items":[{"id":"c","extra":{"a":[1]}}],"total":3}`,
		"same key shown again": pageOf("", keyItem("c"), keyItem("a")),
	} {
		t.Run(name, func(t *testing.T) {
			api := inTurn(pageOf("b", keyItem("a"), keyItem("b")), last, `{"items":[]}`)
			keys, err := newClient(t, api).Keys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b", "c"}, ids(keys)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestListAsksForFullPagesAndFollowsTheCursor(t *testing.T) {
	api := inTurn(pageOf("x/?&=é", keyItem("a")), pageOf("", keyItem("b")))
	if _, err := newClient(t, api).Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"https://api.instantly.ai/api/v2/api-keys?limit=100",
		"https://api.instantly.ai/api/v2/api-keys?limit=100&starting_after=x%2F%3F%26%3D%C3%A9",
	}
	var got []string
	for _, r := range api.requests() {
		got = append(got, r.URL)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListStopsOnEmptyItems(t *testing.T) {
	api := inTurn(pageOf("a", keyItem("a")), pageOf("b"))
	keys, err := newClient(t, api).Keys(t.Context())
	if err != nil || len(keys) != 1 || len(api.requests()) != 2 {
		t.Errorf("%d keys after %d requests, error %v", len(keys), len(api.requests()), err)
	}
}

func TestListStopsOnRepeatingCursor(t *testing.T) {
	for name, pages := range map[string][]string{
		"the same":     {pageOf("a", keyItem("a"))},
		"in a circle":  {pageOf("a", keyItem("a")), pageOf("b", keyItem("b")), pageOf("a", keyItem("c"))},
		"later stuck":  {pageOf("a", keyItem("a")), pageOf("b", keyItem("b")), pageOf("b", keyItem("c"))},
		"same content": {pageOf("a", keyItem("a")), pageOf("a", keyItem("a"))},
	} {
		t.Run(name, func(t *testing.T) {
			api := inTurn(pages...)
			keys, err := newClient(t, api).Keys(t.Context())
			wantIs(t, err, instantly.ErrMalformed)
			if keys != nil || len(api.requests()) > 3 {
				t.Errorf("%d keys after %d requests", len(keys), len(api.requests()))
			}
		})
	}
}

// endless answers every request with a page of one new key and a new cursor.
func endless(took time.Duration) *fakeAPI {
	return &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
		time.Sleep(took)
		return reply(200, pageOf(fmt.Sprint(n), keyItem(fmt.Sprint(n)))), nil
	}}
}

func TestListThatDoesNotEndIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		took  time.Duration
		pages int
		want  string
	}{
		"by pages": {0, 1000, "the list does not end: 1000 pages with 1000 items in 0s, and a cursor to another one"},
		"by time":  {time.Second, 121, "the list does not end: 121 pages with 121 items in 2m1s, and a cursor to another one"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := endless(tc.took)
				keys, err := newClient(t, api).Keys(t.Context())
				wantIs(t, err, instantly.ErrMalformed)
				if err != nil && !strings.HasSuffix(err.Error(), tc.want) {
					t.Errorf("error %v", err)
				}
				if keys != nil || len(api.requests()) != tc.pages {
					t.Errorf("%d keys after %d requests", len(keys), len(api.requests()))
				}
			})
		})
	}
}

// At the default pace.
func TestListOfTenThousandKeysIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pages = 100
		api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
			items := make([]string, 100)
			for i := range items {
				items[i] = keyItem(fmt.Sprintf("%d-%d", n, i))
			}
			next := fmt.Sprint(n)
			if n == pages-1 {
				next = ""
			}
			return reply(200, pageOf(next, items...)), nil
		}}
		keys, err := newClient(t, api, func(o *instantly.Options) { o.Pacer = nil }).Keys(t.Context())
		if err != nil || len(keys) != 100*pages {
			t.Errorf("%d keys, error %v", len(keys), err)
		}
	})
}

// The order of the list is not documented, and may change from page to page.
func TestListWhoseOrderChangesHasEachKeyOnce(t *testing.T) {
	const keys, size = 10_000, 100
	order := make([]string, keys)
	for i := range order {
		order[i] = keyItem(fmt.Sprint(i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
		random.Shuffle(keys, func(i, j int) { order[i], order[j] = order[j], order[i] })
		next := fmt.Sprint(n)
		if n == keys/size-1 {
			next = ""
		}
		return reply(200, pageOf(next, order[n*size:(n+1)*size]...)), nil
	}}
	got, err := newClient(t, api).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed := ids(got)
	slices.Sort(listed)
	if each := len(slices.Compact(slices.Clone(listed))); each != len(listed) || each > keys {
		t.Errorf("%d keys are listed, %d of them once", len(listed), each)
	}
	t.Logf("%d of %d keys are on some page", len(listed), keys)
}

func TestListIsWholeOrAnError(t *testing.T) {
	api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
		if n == 1 {
			return reply(500, ""), nil
		}
		return reply(200, pageOf(fmt.Sprint(n), keyItem(fmt.Sprint(n)))), nil
	}}
	keys, err := newClient(t, api).Keys(t.Context())
	wantIs(t, err, instantly.ErrUnavailable)
	if keys != nil {
		t.Errorf("part of the list: %v", ids(keys))
	}
}

func TestUnreadableListIsMalformed(t *testing.T) {
	for name, body := range map[string]string{
		"empty":                  ``,
		"not JSON":               `<html>`,
		"truncated":              `{"items":[{"id":"a"`,
		"two values":             `{"items":[]}{"items":[]}`,
		"null":                   `null`,
		"array":                  `[]`,
		"no items":               `{}`,
		"null items":             `{"items":null}`,
		"items of wrong type":    `{"items":{"a":1}}`,
		"item of wrong type":     `{"items":["a"]}`,
		"null item":              `{"items":[null]}`,
		"key without id":         `{"items":[{"name":"n"}]}`,
		"empty id":               `{"items":[{"id":""}]}`,
		"id of wrong type":       `{"items":[{"id":7}]}`,
		"id that is none":        `{"items":[{"id":"a\nb"}]}`,
		"id of a path":           `{"items":[{"id":"a"},{"id":"../../workspaces/current"}]}`,
		"id too long":            `{"items":[{"id":"` + strings.Repeat("a", 129) + `"}]}`,
		"scopes of wrong type":   `{"items":[{"id":"a","scopes":"leads:read"}]}`,
		"cursor of wrong type":   `{"items":[],"next_starting_after":3}`,
		"an error":               `{"error":"ACC_NOT_FOUND"}`,
		"error beside a page":    `{"items":[{"id":"a"}],"error":"ACC_NOT_FOUND"}`,
		"error in other letters": `{"items":[{"id":"a"}],"ErroR":"ACC_NOT_FOUND"}`,
		"error, escaped":         `{"items":[{"id":"a"}],"\u0065rro\u0052":"ACC_NOT_FOUND"}`,
		"error among strangers":  `{"items":[{"id":"a","name":"` + "\u212a\xff" + `"}],"ERROR" : "ACC_NOT_FOUND"}`,
		"one page too deep":      strings.Repeat("[", 100000),
		"nothing but whitespace": "  \n ",
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := newClient(t, inTurn(body)).Keys(t.Context())
			wantIs(t, err, instantly.ErrMalformed)
			if keys != nil {
				t.Errorf("keys %v", ids(keys))
			}
		})
	}
}

func TestListNeedsNoKeyValues(t *testing.T) {
	for name, value := range map[string]string{
		"full": `"` + keyValue + `"`, "masked": `"****abcd"`, "empty": `""`, "null": `null`,
		"number": `1`, "object": `{"a":1}`, "array": `["a"]`,
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := newClient(t, inTurn(`{"items":[{"id":"a","key":`+value+`}]}`)).Keys(t.Context())
			if err != nil || len(keys) != 1 {
				t.Errorf("%d keys, error %v", len(keys), err)
			}
		})
	}
}

// spaces reads as that many spaces.
type spaces int

func (s *spaces) Read(b []byte) (int, error) {
	if *s <= 0 {
		return 0, io.EOF
	}
	for i := range b {
		b[i] = ' '
	}
	*s -= spaces(len(b))
	return len(b), nil
}

func TestHugeAnswerIsReadNoFurtherThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 200 << 20
		left := spaces(size)
		api := &fakeAPI{answer: func(int, sent) (*http.Response, error) {
			return replyFrom(200, io.MultiReader(strings.NewReader(`{"items":[]}`), &left)), nil
		}}
		_, err := newClient(t, api, withRetries).Keys(t.Context())
		wantIs(t, err, instantly.ErrMalformed)
		if read := size - left; read > 9<<20 || len(api.requests()) != 1 {
			t.Errorf("%d bytes read in %d requests", read, len(api.requests()))
		}
	})
}

func TestAnswerThatBreaksOffIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{answer: func(n int, _ sent) (*http.Response, error) {
			if n == 0 {
				return replyFrom(200, breaksOff(`{"items":[`)), nil
			}
			return reply(200, pageOf("", keyItem("a"))), nil
		}}
		keys, err := newClient(t, api, withRetries).Keys(t.Context())
		if err != nil || len(keys) != 1 {
			t.Errorf("%d keys, error %v", len(keys), err)
		}
	})
}

func TestAnswerThatBreaksOffIsMalformed(t *testing.T) {
	api := &fakeAPI{answer: func(int, sent) (*http.Response, error) {
		return replyFrom(200, breaksOff(`{"items":[]}`)), nil
	}}
	_, err := newClient(t, api).Keys(t.Context())
	wantIs(t, err, instantly.ErrMalformed, instantly.ErrUnavailable)
}

func TestKeyCarriesWhatTheAPISaid(t *testing.T) {
	key, err := newClient(t, always(200, keyBody)).CreateKey(t.Context(), "n", []string{"leads:read"})
	if err != nil {
		t.Fatal(err)
	}
	if !key.Secret.Equal(secretOf(keyValue)) {
		t.Error("another secret")
	}
	key.Secret = secretOf("")
	want := instantly.Key{
		ID: keyID, Name: "n", Scopes: []string{"leads:read"}, Organization: "org",
		Created: time.Date(2026, 3, 5, 23, 9, 47, 98e6, time.UTC),
	}
	if diff := cmp.Diff(want, key, cmp.Comparer(sameSecret)); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableCreationTimeIsZero(t *testing.T) {
	for _, created := range []string{`null`, `""`, `"yesterday"`, `17`, `{}`} {
		keys, err := newClient(t, inTurn(`{"items":[{"id":"a","timestamp_created":`+created+`}]}`)).Keys(t.Context())
		if err != nil || len(keys) != 1 || !keys[0].Created.IsZero() {
			t.Errorf("%s: %v, error %v", created, keys, err)
		}
	}
}
