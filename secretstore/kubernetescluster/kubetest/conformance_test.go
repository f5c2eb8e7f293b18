package kubetest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetescluster/kubetest"
)

// desk sends requests to a server of which the tests do not know what it is.
type desk struct {
	*testing.T
	http   *http.Client
	host   string
	prefix string // of the namespace's Secrets
}

func newDesk(t *testing.T, cfg *rest.Config, namespace string) *desk {
	t.Helper()
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{T: t, http: client, host: cfg.Host, prefix: "/api/v1/namespaces/" + namespace + "/secrets"}
}

// object is what of an answer the tests look at.
type object struct {
	Code     int `json:"-"`
	Kind     string
	Reason   string
	Message  string
	Type     string
	Data     map[string]string
	Metadata struct {
		Name, Namespace, UID, ResourceVersion string
		Labels, Annotations                   map[string]string
		ManagedFields                         []struct {
			Manager  string
			Time     string
			FieldsV1 struct {
				Data map[string]any `json:"f:data"`
			}
		}
	}
	Details struct{ Kind, Name string }
}

func (d *desk) send(method, path, contentType, body string) object {
	d.Helper()
	r, err := http.NewRequestWithContext(d.Context(), method, d.host+path, bytes.NewBufferString(body))
	if err != nil {
		d.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "conformance/1")
	res, err := d.http.Do(r)
	if err != nil {
		d.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		d.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	o.Code = res.StatusCode
	return o
}

const (
	plain      = "application/json"
	mergePatch = "application/merge-patch+json"
)

func (d *desk) create(body string) object { d.Helper(); return d.send("POST", d.prefix, plain, body) }

func (d *desk) get(name string) object {
	d.Helper()
	return d.send("GET", d.prefix+"/"+name, plain, "")
}

func (d *desk) patch(name, body string) object {
	d.Helper()
	return d.send("PATCH", d.prefix+"/"+name+"?fieldManager=tester", mergePatch, body)
}

func (d *desk) update(name, body string) object {
	d.Helper()
	return d.send("PUT", d.prefix+"/"+name, plain, body)
}

func (d *desk) want(o object, code int, reason, message string) {
	d.Helper()
	if o.Code != code || o.Reason != reason || !strings.Contains(o.Message, message) {
		d.Errorf("answer %d %s %q, want %d %s with %q", o.Code, o.Reason, o.Message, code, reason, message)
	}
	if code >= 400 && o.Kind != "Status" {
		d.Errorf("kind %s, want Status", o.Kind)
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// requests are what the store relies on, as claims about the API server.
func requests() map[string]func(*desk) {
	return map[string]func(*desk){
		"a Secret that is not there is 404": func(d *desk) {
			o := d.get("absent")
			d.want(o, 404, "NotFound", `secrets "absent" not found`)
			if o.Details.Kind != "secrets" || o.Details.Name != "absent" {
				d.Errorf("details %+v", o.Details)
			}
			d.want(d.patch("absent", `{"data":{"a":"YQ=="}}`), 404, "NotFound", `secrets "absent" not found`)
			d.want(d.send("DELETE", d.prefix+"/absent", plain, ""), 404, "NotFound", "")
		},
		"a Secret is made in a namespace that is there": func(d *desk) {
			o := d.create(`{"metadata":{"name":"made","labels":{"a":"b"}},"type":"Opaque"}`)
			d.want(o, 201, "", "")
			if o.Kind != "Secret" || o.Type != "Opaque" || o.Metadata.UID == "" || o.Metadata.ResourceVersion == "" || o.Metadata.Labels["a"] != "b" {
				d.Errorf("made: %+v", o)
			}
			d.want(d.create(`{"metadata":{"name":"made"}}`), 409, "AlreadyExists", `secrets "made" already exists`)
			d.want(d.send("POST", "/api/v1/namespaces/not-there/secrets", plain, `{"metadata":{"name":"made"}}`), 404, "NotFound", `namespaces "not-there" not found`)
		},
		"a merge patch changes what it names and no more": func(d *desk) {
			made := d.create(`{"metadata":{"name":"patched","labels":{"l":"1"},"annotations":{"x/y":"1"}},"stringData":{"a":"1","b":"2"}}`)
			o := d.patch("patched", fmt.Sprintf(`{"metadata":{"resourceVersion":%q,"annotations":{"x/z":"2"}},"data":{"a":null,"c":%q}}`,
				made.Metadata.ResourceVersion, b64("3")))
			d.want(o, 200, "", "")
			got := fmt.Sprint(o.Data, o.Metadata.Labels, o.Metadata.Annotations, o.Type)
			if want := fmt.Sprint(map[string]string{"b": b64("2"), "c": b64("3")}, map[string]string{"l": "1"}, map[string]string{"x/y": "1", "x/z": "2"}, "Opaque"); got != want {
				d.Errorf("patched: %s, want %s", got, want)
			}
			if o.Metadata.ResourceVersion == made.Metadata.ResourceVersion || o.Metadata.UID != made.Metadata.UID {
				d.Errorf("resourceVersion %s → %s, uid %s → %s", made.Metadata.ResourceVersion, o.Metadata.ResourceVersion, made.Metadata.UID, o.Metadata.UID)
			}
			if again := d.get("patched"); again.Metadata.ResourceVersion != o.Metadata.ResourceVersion {
				d.Error("the answer is not what is stored")
			}
		},
		"a write on a stale resourceVersion is 409": func(d *desk) {
			made := d.create(`{"metadata":{"name":"stale"},"stringData":{"a":"1"}}`)
			stale := made.Metadata.ResourceVersion
			d.want(d.patch("stale", `{"metadata":{"labels":{"edited":"yes"}}}`), 200, "", "")
			const says = "the object has been modified"
			d.want(d.patch("stale", fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"data":{"a":"YQ=="}}`, stale)), 409, "Conflict", says)
			d.want(d.update("stale", fmt.Sprintf(`{"metadata":{"name":"stale","resourceVersion":%q}}`, stale)), 409, "Conflict", says)
			if got := d.get("stale").Data["a"]; got != b64("1") {
				d.Errorf("a refused write changed the value to %s", got)
			}
		},
		"a Secret made anew has another UID and never an old resourceVersion": func(d *desk) {
			first := d.create(`{"metadata":{"name":"anew"}}`)
			d.want(d.send("DELETE", d.prefix+"/anew", plain, ""), 200, "", "")
			second := d.create(`{"metadata":{"name":"anew"}}`)
			if first.Metadata.UID == second.Metadata.UID {
				d.Error("the UID is the same")
			}
			d.want(d.patch("anew", fmt.Sprintf(`{"metadata":{"resourceVersion":%q}}`, first.Metadata.ResourceVersion)), 409, "Conflict", "")
		},
		"an immutable Secret takes labels but no values": func(d *desk) {
			d.want(d.create(`{"metadata":{"name":"fixed"},"immutable":true,"stringData":{"a":"1"}}`), 201, "", "")
			d.want(d.patch("fixed", `{"metadata":{"annotations":{"x/y":"1"}}}`), 200, "", "")
			d.want(d.patch("fixed", `{"data":{"a":"YQ=="}}`), 422, "Invalid", "field is immutable when `immutable` is set")
			d.want(d.patch("fixed", `{"immutable":false}`), 422, "Invalid", "field is immutable when `immutable` is set")
		},
		"the limits are 1 MiB of values and 256 KiB of annotations": func(d *desk) {
			d.want(d.create(`{"metadata":{"name":"large"}}`), 201, "", "")
			half := b64(strings.Repeat("x", 512*1024))
			d.want(d.patch("large", fmt.Sprintf(`{"data":{"a":%q,"b":%q}}`, half, half)), 200, "", "")
			d.want(d.patch("large", `{"data":{"c":"YQ=="}}`), 422, "Invalid", "1048576")
			d.want(d.patch("large", fmt.Sprintf(`{"metadata":{"annotations":{"x/y":%q}}}`, strings.Repeat("x", 256*1024))), 422, "Invalid", "262144")
		},
		"names have rules": func(d *desk) {
			d.want(d.create(`{"metadata":{"name":"Capital"}}`), 422, "Invalid", "metadata.name")
			d.want(d.create(`{"metadata":{"name":"names"}}`), 201, "", "")
			d.want(d.patch("names", `{"data":{"a/b":"YQ=="}}`), 422, "Invalid", "data[a/b]")
			d.want(d.patch("names", `{"type":"kubernetes.io/basic-auth"}`), 422, "Invalid", "type")
			d.want(d.patch("names", fmt.Sprintf(`{"metadata":{"annotations":{"x/%s":""}}}`, strings.Repeat("y", 64))), 422, "Invalid", "metadata.annotations")
			d.want(d.patch("names", fmt.Sprintf(`{"metadata":{"annotations":{"instantly-rotator.dev/%s":""}}}`, strings.Repeat("y", 63))), 200, "", "")
		},
		"managedFields say who wrote a value last": func(d *desk) {
			d.create(`{"metadata":{"name":"managed"},"stringData":{"a":"1","b":"2"}}`)
			d.patch("managed", fmt.Sprintf(`{"data":{"a":%q}}`, b64("3")))
			o := d.patch("managed", fmt.Sprintf(`{"data":{"b":%q}}`, b64("2"))) // the same value
			owners := map[string][]string{}
			for _, m := range o.Metadata.ManagedFields {
				for key := range m.FieldsV1.Data {
					if key != "." {
						owners[key] = append(owners[key], m.Manager)
					}
				}
				if m.Time == "" {
					d.Errorf("no time of %s", m.Manager)
				}
			}
			if got, want := fmt.Sprint(owners), "map[f:a:[tester] f:b:[conformance]]"; got != want {
				d.Errorf("owners %s, want %s", got, want)
			}
		},
		"a body of another kind is 415": func(d *desk) {
			d.create(`{"metadata":{"name":"kinds"}}`)
			d.want(d.send("PATCH", d.prefix+"/kinds", plain, `{}`), 415, "UnsupportedMediaType", "")
		},
		"a patch that is no JSON is 400": func(d *desk) {
			d.create(`{"metadata":{"name":"broken"}}`)
			d.want(d.patch("broken", `{`), 400, "BadRequest", "")
		},
	}
}

func TestAnswersAsTheAPIServerDoes(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) {
		for name, check := range requests() {
			t.Run(name, func(t *testing.T) { check(newDesk(t, kubetest.New("here").Config(), "here")) })
		}
	})
	t.Run("API server", func(t *testing.T) {
		cfg, namespace := kubetest.Real(t)
		for name, check := range requests() {
			t.Run(name, func(t *testing.T) { check(newDesk(t, cfg, namespace)) })
		}
	})
}
