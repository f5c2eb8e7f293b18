package kubernetessecret

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// object is what of a Secret concerns us, with its values wrapped.
type object struct {
	uid, resourceVersion string
	// text is the annotation that holds the state; empty if there is none.
	text string
	// slots are the values under our data keys that are not empty.
	slots map[secretstore.Stage]sighting
	// immutable, deleting: it takes no new values, or not for long.
	immutable, deleting bool
	// others is what all that is not ours takes up, in bytes.
	others size
}

// size is how many bytes of a Secret's limits something takes up.
type size struct{ data, annotations int }

// sighting is a value under one of our data keys.
type sighting struct {
	value  secret.Value
	digest string
	// since is when the value was written, or later; zero if that is not known.
	since time.Time
}

// patch is what one write changes.
type patch struct {
	resourceVersion string
	text            string
	// values by stage; a zero value takes the data key away.
	values map[secretstore.Stage]secret.Value
}

// wire puts a patch into the form in which it travels: RFC 7386, in which null
// takes a field away.
func (c *client) wire(p patch) ([]byte, error) {
	data := map[string]*[]byte{}
	for stage, value := range p.values {
		data[c.keys[stage]] = nil
		if !value.IsZero() {
			raw := []byte(value.Reveal())
			data[c.keys[stage]] = &raw
		}
	}
	return json.Marshal(map[string]any{
		"metadata": map[string]any{
			"resourceVersion": p.resourceVersion,
			"annotations":     map[string]string{c.mark: p.text},
		},
		"data": data,
	})
}

// unwire takes a Secret out of the form in which it travelled.
func (c *client) unwire(sec *corev1.Secret) object {
	o := object{
		uid: string(sec.UID), resourceVersion: sec.ResourceVersion, text: sec.Annotations[c.mark],
		slots:     map[secretstore.Stage]sighting{},
		immutable: sec.Immutable != nil && *sec.Immutable, deleting: sec.DeletionTimestamp != nil,
	}
	for stage, key := range c.keys {
		if raw := sec.Data[key]; len(raw) > 0 {
			value := secret.New(string(raw))
			o.slots[stage] = sighting{value: value, digest: digest(o.uid, value), since: written(sec.ManagedFields, key)}
		}
	}
	for key, raw := range sec.Data {
		if !c.isOurs(key) {
			o.others.data += len(raw)
		}
	}
	for name, text := range sec.Annotations {
		if name != c.mark {
			o.others.annotations += len(name) + len(text)
		}
	}
	return o
}

func (c *client) isOurs(key string) bool {
	for _, ours := range c.keys {
		if key == ours {
			return true
		}
	}
	return false
}

// digest tells whether a value is the one on record, in this very Secret.
func digest(uid string, value secret.Value) string {
	sum := sha256.Sum256([]byte(uid + "\x00" + value.Reveal()))
	return hex.EncodeToString(sum[:16])
}

// sizeOf is how much data a value is.
func sizeOf(value secret.Value) int { return len(value.Reveal()) }

// written tells when the value of a data key was written last, or later: an
// entry's time is that of the last change to any of its fields. Zero if no entry
// has the field.
func written(managed []metav1.ManagedFieldsEntry, key string) time.Time {
	var last time.Time
	for _, entry := range managed {
		var fields struct {
			Data map[string]json.RawMessage `json:"f:data"`
		}
		if entry.FieldsV1 == nil || entry.Time == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if _, owns := fields.Data["f:"+key]; owns && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}
