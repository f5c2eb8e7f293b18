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

// apiClient sends requests to a server of which the tests do not know what it is.
type apiClient struct {
	*testing.T
	http   *http.Client
	host   string
	prefix string // of the namespace's Secrets
}

func newClient(t *testing.T, cfg *rest.Config, namespace string) *apiClient {
	t.Helper()
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &apiClient{T: t, http: client, host: cfg.Host, prefix: "/api/v1/namespaces/" + namespace + "/secrets"}
}

// object is what the tests read of an answer.
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

func (c *apiClient) send(method, path, contentType, body string) object {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.host+path, bytes.NewBufferString(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "conformance/1")
	res, err := c.http.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		c.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	o.Code = res.StatusCode
	return o
}

const (
	plain      = "application/json"
	mergePatch = "application/merge-patch+json"
)

func (c *apiClient) create(body string) object {
	c.Helper()
	return c.send("POST", c.prefix, plain, body)
}

func (c *apiClient) get(name string) object {
	c.Helper()
	return c.send("GET", c.prefix+"/"+name, plain, "")
}

func (c *apiClient) patch(name, body string) object {
	c.Helper()
	return c.send("PATCH", c.prefix+"/"+name+"?fieldManager=tester", mergePatch, body)
}

func (c *apiClient) update(name, body string) object {
	c.Helper()
	return c.send("PUT", c.prefix+"/"+name, plain, body)
}

func (c *apiClient) want(o object, code int, reason, message string) {
	c.Helper()
	if o.Code != code || o.Reason != reason || !strings.Contains(o.Message, message) {
		c.Errorf("answer %d %s %q, want %d %s with %q", o.Code, o.Reason, o.Message, code, reason, message)
	}
	if code >= 400 && o.Kind != "Status" {
		c.Errorf("kind %s, want Status", o.Kind)
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// requests are what the store relies on, as claims about the API server.
func requests() map[string]func(*apiClient) {
	return map[string]func(*apiClient){
		"a Secret that is not there is 404": func(c *apiClient) {
			o := c.get("absent")
			c.want(o, 404, "NotFound", `secrets "absent" not found`)
			if o.Details.Kind != "secrets" || o.Details.Name != "absent" {
				c.Errorf("details %+v", o.Details)
			}
			c.want(c.patch("absent", `{"data":{"a":"YQ=="}}`), 404, "NotFound", `secrets "absent" not found`)
			c.want(c.send("DELETE", c.prefix+"/absent", plain, ""), 404, "NotFound", "")
		},
		"a Secret is made in a namespace that is there": func(c *apiClient) {
			o := c.create(`{"metadata":{"name":"made","labels":{"a":"b"}},"type":"Opaque"}`)
			c.want(o, 201, "", "")
			if o.Kind != "Secret" || o.Type != "Opaque" || o.Metadata.UID == "" || o.Metadata.ResourceVersion == "" || o.Metadata.Labels["a"] != "b" {
				c.Errorf("made: %+v", o)
			}
			c.want(c.create(`{"metadata":{"name":"made"}}`), 409, "AlreadyExists", `secrets "made" already exists`)
			c.want(c.send("POST", "/api/v1/namespaces/not-there/secrets", plain, `{"metadata":{"name":"made"}}`), 404, "NotFound", `namespaces "not-there" not found`)
		},
		"a merge patch changes what it names and no more": func(c *apiClient) {
			made := c.create(`{"metadata":{"name":"patched","labels":{"l":"1"},"annotations":{"x/y":"1"}},"stringData":{"a":"1","b":"2"}}`)
			o := c.patch("patched", fmt.Sprintf(`{"metadata":{"resourceVersion":%q,"annotations":{"x/z":"2"}},"data":{"a":null,"c":%q}}`,
				made.Metadata.ResourceVersion, b64("3")))
			c.want(o, 200, "", "")
			got := fmt.Sprint(o.Data, o.Metadata.Labels, o.Metadata.Annotations, o.Type)
			if want := fmt.Sprint(map[string]string{"b": b64("2"), "c": b64("3")}, map[string]string{"l": "1"}, map[string]string{"x/y": "1", "x/z": "2"}, "Opaque"); got != want {
				c.Errorf("patched: %s, want %s", got, want)
			}
			if o.Metadata.ResourceVersion == made.Metadata.ResourceVersion || o.Metadata.UID != made.Metadata.UID {
				c.Errorf("resourceVersion %s → %s, uid %s → %s", made.Metadata.ResourceVersion, o.Metadata.ResourceVersion, made.Metadata.UID, o.Metadata.UID)
			}
			if again := c.get("patched"); again.Metadata.ResourceVersion != o.Metadata.ResourceVersion {
				c.Error("the answer is not what is stored")
			}
		},
		"a write on a stale resourceVersion is 409": func(c *apiClient) {
			made := c.create(`{"metadata":{"name":"stale"},"stringData":{"a":"1"}}`)
			stale := made.Metadata.ResourceVersion
			c.want(c.patch("stale", `{"metadata":{"labels":{"edited":"yes"}}}`), 200, "", "")
			const says = "the object has been modified"
			c.want(c.patch("stale", fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"data":{"a":"YQ=="}}`, stale)), 409, "Conflict", says)
			c.want(c.update("stale", fmt.Sprintf(`{"metadata":{"name":"stale","resourceVersion":%q}}`, stale)), 409, "Conflict", says)
			if got := c.get("stale").Data["a"]; got != b64("1") {
				c.Errorf("a refused write changed the value to %s", got)
			}
		},
		"a Secret made anew has another UID and never an old resourceVersion": func(c *apiClient) {
			first := c.create(`{"metadata":{"name":"anew"}}`)
			c.want(c.send("DELETE", c.prefix+"/anew", plain, ""), 200, "", "")
			second := c.create(`{"metadata":{"name":"anew"}}`)
			if first.Metadata.UID == second.Metadata.UID {
				c.Error("the UID is the same")
			}
			c.want(c.patch("anew", fmt.Sprintf(`{"metadata":{"resourceVersion":%q}}`, first.Metadata.ResourceVersion)), 409, "Conflict", "")
		},
		"an immutable Secret takes labels but no values": func(c *apiClient) {
			c.want(c.create(`{"metadata":{"name":"fixed"},"immutable":true,"stringData":{"a":"1"}}`), 201, "", "")
			c.want(c.patch("fixed", `{"metadata":{"annotations":{"x/y":"1"}}}`), 200, "", "")
			c.want(c.patch("fixed", `{"data":{"a":"YQ=="}}`), 422, "Invalid", "field is immutable when `immutable` is set")
			c.want(c.patch("fixed", `{"immutable":false}`), 422, "Invalid", "field is immutable when `immutable` is set")
		},
		"the limits are 1 MiB of values and 256 KiB of annotations": func(c *apiClient) {
			c.want(c.create(`{"metadata":{"name":"large"}}`), 201, "", "")
			half := b64(strings.Repeat("x", 512*1024))
			c.want(c.patch("large", fmt.Sprintf(`{"data":{"a":%q,"b":%q}}`, half, half)), 200, "", "")
			c.want(c.patch("large", `{"data":{"c":"YQ=="}}`), 422, "Invalid", "1048576")
			c.want(c.patch("large", fmt.Sprintf(`{"metadata":{"annotations":{"x/y":%q}}}`, strings.Repeat("x", 256*1024))), 422, "Invalid", "262144")
		},
		"names have rules": func(c *apiClient) {
			c.want(c.create(`{"metadata":{"name":"Capital"}}`), 422, "Invalid", "metadata.name")
			c.want(c.create(`{"metadata":{"name":"names"}}`), 201, "", "")
			c.want(c.patch("names", `{"data":{"a/b":"YQ=="}}`), 422, "Invalid", "data[a/b]")
			c.want(c.patch("names", `{"type":"kubernetes.io/basic-auth"}`), 422, "Invalid", "type")
			c.want(c.patch("names", fmt.Sprintf(`{"metadata":{"annotations":{"x/%s":""}}}`, strings.Repeat("y", 64))), 422, "Invalid", "metadata.annotations")
			c.want(c.patch("names", fmt.Sprintf(`{"metadata":{"annotations":{"instantly-rotator.dev/%s":""}}}`, strings.Repeat("y", 63))), 200, "", "")
		},
		"managedFields say who wrote a value last": func(c *apiClient) {
			c.create(`{"metadata":{"name":"managed"},"stringData":{"a":"1","b":"2"}}`)
			c.patch("managed", fmt.Sprintf(`{"data":{"a":%q}}`, b64("3")))
			o := c.patch("managed", fmt.Sprintf(`{"data":{"b":%q}}`, b64("2"))) // the same value
			owners := map[string][]string{}
			for _, m := range o.Metadata.ManagedFields {
				for key := range m.FieldsV1.Data {
					if key != "." {
						owners[key] = append(owners[key], m.Manager)
					}
				}
				if m.Time == "" {
					c.Errorf("no time of %s", m.Manager)
				}
			}
			if got, want := fmt.Sprint(owners), "map[f:a:[tester] f:b:[conformance]]"; got != want {
				c.Errorf("owners %s, want %s", got, want)
			}
		},
		"a body of another kind is 415": func(c *apiClient) {
			c.create(`{"metadata":{"name":"kinds"}}`)
			c.want(c.send("PATCH", c.prefix+"/kinds", plain, `{}`), 415, "UnsupportedMediaType", "")
		},
		"a patch that is no JSON is 400": func(c *apiClient) {
			c.create(`{"metadata":{"name":"broken"}}`)
			c.want(c.patch("broken", `{`), 400, "BadRequest", "")
		},
	}
}

func TestAnswersAsTheAPIServerDoes(t *testing.T) {
	t.Run("stand-in", func(t *testing.T) {
		for name, check := range requests() {
			t.Run(name, func(t *testing.T) { check(newClient(t, kubetest.New("here").Config(), "here")) })
		}
	})
	t.Run("API server", func(t *testing.T) {
		cfg, namespace := kubetest.Real(t)
		for name, check := range requests() {
			t.Run(name, func(t *testing.T) { check(newClient(t, cfg, namespace)) })
		}
	})
}
