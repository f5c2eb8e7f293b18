package payload_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/payload"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func issued() secretstore.Version {
	return secretstore.Version{
		ID: "key-1", Name: "acme/sending/0f/1a", Account: "org-1",
		Intent: secretstore.Intent{Nonce: "1a", At: time.Date(2026, 11, 21, 4, 0, 0, 0, time.FixedZone("", 3600)), Spec: "a:read,b:all"},
	}
}

func form(t *testing.T, template map[string]string) payload.JSON {
	t.Helper()
	f, err := payload.NewJSON(template)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func encode(t *testing.T, f payload.Form, current string) map[string]any {
	t.Helper()
	stored, err := f.Encode(issued(), secret.New(`k"<&>\ey`), secret.New(current))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	d := json.NewDecoder(strings.NewReader(stored.Reveal()))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTemplateIsFilledIn(t *testing.T) {
	f := form(t, map[string]string{
		"key": "{key}", "about": "{id} of {account}", "name": "{name}", "spec": "{spec}", "at": "{issued_at}", "fixed": "text",
	})
	want := map[string]any{
		"key": `k"<&>\ey`, "about": "key-1 of org-1", "name": "acme/sending/0f/1a", "spec": "a:read,b:all",
		"at": "2026-11-21T03:00:00Z", "fixed": "text",
	}
	if diff := cmp.Diff(want, encode(t, f, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOtherFieldsAreKept(t *testing.T) {
	got := encode(t, form(t, nil), `{"host": "<x&y>", "port": 12345678901234567890, "nested": {"a": [1, null]}, "api_key": "old"}`)
	want := map[string]any{
		"host": "<x&y>", "port": json.Number("12345678901234567890"),
		"nested": map[string]any{"a": []any{json.Number("1"), nil}}, "api_key": `k"<&>\ey`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNoObjectIsReplaced(t *testing.T) {
	for _, current := range []string{"", "changeme", `"text"`, "[1]", "null", "{broken", "12"} {
		if got := encode(t, form(t, nil), current); len(got) != 1 {
			t.Errorf("over %q: %v", current, got)
		}
	}
}

func TestKeyComesBack(t *testing.T) {
	f := form(t, map[string]string{"token": "{key}", "id": "{id}"})
	for _, key := range []string{"x", `"`, "a\nb", "鍵", "{key}", "{id}", `{"a":1}`, "\\u0000", "<&>"} {
		stored, err := f.Encode(issued(), secret.New(key), secret.Value{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Decode(stored)
		if err != nil || !got.Equal(secret.New(key)) {
			t.Errorf("%q does not come back: %v", key, err)
		}
	}
}

func TestDecodeOfOtherValues(t *testing.T) {
	f := form(t, nil)
	for stored, want := range map[string]error{
		`{}`: secretstore.ErrNotFound, `{"api_key": null}`: secretstore.ErrNotFound, `{"api_key": ""}`: secretstore.ErrNotFound,
		`{"api_key": 1}`: secretstore.ErrCorrupt, `{"api_key": {"a": "canary"}}`: secretstore.ErrCorrupt,
		"plain key": nil, `"quoted"`: nil, `{"api_key": "canary"`: nil,
	} {
		got, err := f.Decode(secret.New(stored))
		if !errors.Is(err, want) {
			t.Errorf("decode %s: %v, want %v", stored, err, want)
		}
		if want == nil && !got.Equal(secret.New(stored)) {
			t.Errorf("decode %s does not take it as it is", stored)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the error shows the value: %v", err)
		}
	}
}

func TestBadTemplatesAreRefused(t *testing.T) {
	for _, c := range []struct {
		template map[string]string
		want     string
	}{
		{map[string]string{"a": "x"}, "no field is {key}"},
		{map[string]string{"a": "{key}", "b": "{key}"}, `both "a" and "b" are {key}: want it in one field`},
		{map[string]string{"a": "{key}", "b": "Bearer {key}"}, `"b" has {key} amid other text: it must be a field of its own`},
		{map[string]string{"a": "{key}", "b": "{value}"}, `"b" has the unknown placeholder {value}: known are {key}, {id}, {name}, {spec}, {account}, {issued_at}`},
		{map[string]string{"": "{key}"}, "a field needs a name"},
	} {
		if _, err := payload.NewJSON(c.template); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.template, err, c.want)
		}
	}
}

func TestRawKeepsTheKeyAlone(t *testing.T) {
	stored, err := payload.Raw{}.Encode(issued(), secret.New("k"), secret.New(`{"a": 1}`))
	if err != nil || !stored.Equal(secret.New("k")) {
		t.Errorf("stored another value: %v", err)
	}
	if got, err := (payload.Raw{}).Decode(stored); err != nil || !got.Equal(secret.New("k")) {
		t.Errorf("read another value: %v", err)
	}
}
