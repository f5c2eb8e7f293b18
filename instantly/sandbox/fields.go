package sandbox

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
)

// field is what a request's body may have, with the check of its value, which says
// what is wrong as Ajv does: "must be string".
type field struct {
	name  string
	check func(any) (wrong string)
}

// readFields checks a body as Ajv does, with its texts; wrong is empty if it is right.
func readFields(body any, required []string, allowed []field) (fields map[string]any, wrong string) {
	fields, ok := body.(map[string]any)
	if !ok {
		return nil, "body must be object"
	}
	for _, name := range required {
		if _, given := fields[name]; !given {
			return nil, fmt.Sprintf("body must have required property '%s'", name)
		}
	}
	if len(fields) == 0 {
		return nil, "body must NOT have fewer than 1 properties"
	}
	for name, value := range fields {
		at := slices.IndexFunc(allowed, func(f field) bool { return f.name == name })
		if at < 0 {
			return nil, "body must NOT have additional properties"
		}
		if wrong := allowed[at].check(value); wrong != "" {
			return nil, "body/" + name + " " + wrong
		}
	}
	return fields, ""
}

// textIn gives a field that is a text; empty if it is null or not there.
func textIn(fields map[string]any, name string) string {
	text, _ := fields[name].(string)
	return text
}

func isText(v any) string {
	if _, ok := v.(string); !ok {
		return "must be string"
	}
	return ""
}

func isEmail(v any) string {
	text, _ := v.(string)
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return `must match format "email"`
	}
	return ""
}

func oneOf(values ...string) func(any) string {
	return func(v any) string {
		if text, ok := v.(string); !ok || !slices.Contains(values, text) {
			return "must be equal to one of the allowed values"
		}
		return ""
	}
}

// orNull lets null pass too.
func orNull(check func(any) string) func(any) string {
	return func(v any) string {
		if v == nil {
			return ""
		}
		return check(v)
	}
}
func isNumber(v any) string {
	if _, ok := v.(float64); !ok {
		return "must be number"
	}
	return ""
}

// isHookURL is the format uri with the pattern ^https?:// (OpenAPI file).
func isHookURL(v any) string {
	text, _ := v.(string)
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return `must match pattern "^https?://"`
	}
	return ""
}

func isHeaders(v any) string {
	fields, ok := v.(map[string]any)
	if !ok {
		return "must be object"
	}
	for _, value := range fields {
		if wrong := isText(value); wrong != "" {
			return "values " + wrong
		}
	}
	return ""
}
