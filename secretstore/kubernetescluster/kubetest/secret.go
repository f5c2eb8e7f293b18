package kubetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// decode reads a Secret and knows no field that a Secret has not.
func decode(body []byte) (*corev1.Secret, *answer) {
	var sec corev1.Secret
	strict := json.NewDecoder(bytes.NewReader(body))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&sec); err != nil {
		return nil, badRequest("Secret in version \"v1\" cannot be handled as a Secret: " + err.Error())
	}
	for key, text := range sec.StringData {
		if sec.Data == nil {
			sec.Data = map[string][]byte{}
		}
		sec.Data[key] = []byte(text)
	}
	sec.StringData = nil
	return &sec, nil
}

// merged applies a merge patch (RFC 7386).
func merged(old *corev1.Secret, body []byte) (*corev1.Secret, *answer) {
	before, err := json.Marshal(old)
	if err != nil {
		return nil, badRequest(err.Error())
	}
	var target, change map[string]any
	if json.Unmarshal(before, &target) != nil || json.Unmarshal(body, &change) != nil {
		return nil, badRequest("the patch is no JSON object")
	}
	after, err := json.Marshal(merge(target, change))
	if err != nil {
		return nil, badRequest(err.Error())
	}
	return decode(after)
}

func merge(target, change map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for name, value := range change {
		switch value := value.(type) {
		case nil:
			delete(target, name)
		case map[string]any:
			below, _ := target[name].(map[string]any)
			target[name] = merge(below, value)
		default:
			target[name] = value
		}
	}
	return target
}

// validate says what the API server would not take (package validation of
// Kubernetes).
func validate(old, sec *corev1.Secret) []string {
	var problems []string
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`).MatchString(sec.Name) || len(sec.Name) > 253 {
		problems = append(problems, fmt.Sprintf("metadata.name: Invalid value: %q: a lowercase RFC 1123 subdomain must consist of …", sec.Name))
	}
	total := 0
	for key, value := range sec.Data {
		total += len(value)
		if !regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`).MatchString(key) {
			problems = append(problems, fmt.Sprintf("data[%s]: Invalid value: %q: a valid config key must consist of …", key, key))
		}
	}
	if total > corev1.MaxSecretSize {
		problems = append(problems, fmt.Sprintf("data: Too long: may not be more than %d bytes", corev1.MaxSecretSize))
	}
	return append(problems, append(validateAnnotations(sec), validateChange(old, sec)...)...)
}

func validateAnnotations(sec *corev1.Secret) []string {
	const most = 256 * 1024
	var problems []string
	total := 0
	for name, text := range sec.Annotations {
		total += len(name) + len(text)
		prefix, short, found := strings.Cut(name, "/")
		if !found {
			prefix, short = "a", name
		}
		if !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`).MatchString(short) ||
			!regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`).MatchString(prefix) {
			problems = append(problems, fmt.Sprintf("metadata.annotations: Invalid value: %q: name part must consist of …", name))
		}
	}
	if total > most {
		problems = append(problems, fmt.Sprintf("metadata.annotations: Too long: may not be more than %d bytes", most))
	}
	return problems
}

func validateChange(old, sec *corev1.Secret) []string {
	if old == nil {
		return nil
	}
	var problems []string
	if sec.Type != old.Type {
		problems = append(problems, fmt.Sprintf("type: Invalid value: %q: field is immutable", sec.Type))
	}
	if old.Immutable != nil && *old.Immutable {
		if sec.Immutable == nil || !*sec.Immutable {
			problems = append(problems, "immutable: Forbidden: field is immutable when `immutable` is set")
		}
		if !maps.EqualFunc(old.Data, sec.Data, bytes.Equal) {
			problems = append(problems, "data: Forbidden: field is immutable when `immutable` is set")
		}
	}
	return problems
}

// managed keeps account of who wrote which data key, and when, as managedFields
// do. Of other fields it keeps none.
func managed(old, sec *corev1.Secret, manager string) []metav1.ManagedFieldsEntry {
	owned, at := map[string][]string{}, map[string]metav1.Time{}
	var before map[string][]byte
	if old != nil {
		before = old.Data
		for _, entry := range old.ManagedFields {
			owned[entry.Manager], at[entry.Manager] = fieldsOf(entry), *entry.Time
		}
	}
	for key, value := range sec.Data {
		if was, there := before[key]; there && bytes.Equal(was, value) {
			continue
		}
		for m := range owned {
			owned[m] = slices.DeleteFunc(owned[m], func(k string) bool { return k == key })
		}
		owned[manager], at[manager] = append(owned[manager], key), metav1.NewTime(now())
	}
	var entries []metav1.ManagedFieldsEntry
	for _, m := range slices.Sorted(maps.Keys(owned)) {
		fields := map[string]any{}
		for _, key := range owned[m] {
			if _, there := sec.Data[key]; there {
				fields["f:"+key] = struct{}{}
			}
		}
		raw, err := json.Marshal(map[string]any{"f:data": fields})
		if err != nil || len(fields) == 0 {
			continue
		}
		when := at[m]
		entries = append(entries, metav1.ManagedFieldsEntry{
			Manager: m, Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1", Time: &when,
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(raw)),
		})
	}
	return entries
}

func fieldsOf(entry metav1.ManagedFieldsEntry) []string {
	var fields struct {
		Data map[string]json.RawMessage `json:"f:data"`
	}
	_ = json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) // managed wrote it
	var keys []string
	for name := range fields.Data {
		keys = append(keys, strings.TrimPrefix(name, "f:"))
	}
	return keys
}
