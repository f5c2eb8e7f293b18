package azuretest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// attributes, bundle and their like are the reference's, in its spelling.
type attributes struct {
	Enabled         *bool  `json:"enabled,omitempty"`
	Created         int64  `json:"created,omitempty"`
	Updated         int64  `json:"updated,omitempty"`
	RecoveryLevel   string `json:"recoveryLevel,omitempty"`
	RecoverableDays int    `json:"recoverableDays,omitempty"`
}

type bundle struct {
	Value       string            `json:"value,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	ID          string            `json:"id"`
	Attributes  attributes        `json:"attributes"`
	Tags        map[string]string `json:"tags,omitempty"`

	RecoveryID         string `json:"recoveryId,omitempty"`
	DeletedDate        int64  `json:"deletedDate,omitempty"`
	ScheduledPurgeDate int64  `json:"scheduledPurgeDate,omitempty"`
}

type setBody struct {
	Value       *string           `json:"value"`
	ContentType string            `json:"contentType"`
	Attributes  attributes        `json:"attributes"`
	Tags        map[string]string `json:"tags"`
}

// The limits of the service.
const (
	maxValue = 25 * 1024
	maxTags  = 15
	maxTag   = 256
	keptDays = 90
)

// A refusal is an answer that is none of a success.
type refusal struct {
	status      int
	code, inner string
	message     string
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if r.Header.Get("Authorization") != "Bearer "+Token {
		s.challenge(w)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, no := s.route(r)
	if no != nil {
		Refuse(w, no.status, no.code, no.inner, no.message)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(b)
}

// challenge says where a token is to be had.
func (s *Server) challenge(w http.ResponseWriter) {
	resource := s.Resource
	if resource == "" {
		resource = "https://vault.azure.net"
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization="https://login.microsoftonline.com/16b3c013-d300-468d-ac64-7eda0820b6d3", resource=%q`, resource))
	Refuse(w, http.StatusUnauthorized, "Unauthorized", "", "AKV10000: Request is missing a Bearer or PoP token.")
}

// Refuse answers as the service does when it refuses.
func Refuse(w http.ResponseWriter, status int, code, inner, message string) {
	e := map[string]any{"code": code, "message": message}
	if inner != "" {
		e["innererror"] = map[string]string{"code": inner}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": e})
}

// route finds what a request is; the caller holds the lock.
func (s *Server) route(r *http.Request) (bundle, *refusal) {
	if r.URL.Query().Get("api-version") == "" {
		return bundle{}, bad("api-version must be specified")
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || !nameForm.MatchString(parts[1]) {
		return bundle{}, bad("The request URI contains an invalid name")
	}
	at := strings.Join(append([]string{r.Method, parts[0]}, make([]string, len(parts)-2)...), " ")
	name, version := parts[1], ""
	if len(parts) > 2 {
		version = parts[2]
	}
	switch strings.TrimSpace(at) {
	case "GET secrets":
		return s.get(name, version)
	case "PUT secrets":
		return s.set(name, r)
	case "PATCH secrets":
		return s.update(name, version, r)
	case "GET deletedsecrets":
		return s.getDeleted(name)
	default:
		return bundle{}, &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "", "not in the stand-in: " + at}
	}
}

func bad(message string) *refusal {
	return &refusal{http.StatusBadRequest, "BadParameter", "", message}
}

// may notes a call, and refuses it if its action was taken away.
func (s *Server) may(action, name string) *refusal {
	s.calls = append(s.calls, Call{action, name})
	switch reason, denied := s.denied[action]; {
	case !denied:
		return nil
	case reason == "ForbiddenByFirewall":
		return &refusal{http.StatusForbidden, "Forbidden", reason, "Client address is not authorized and caller is not a trusted service."}
	default:
		return &refusal{http.StatusForbidden, "Forbidden", reason, "Caller is not authorized to perform action on resource.\r\n" +
			"Action: 'Microsoft.KeyVault/vaults/secrets/" + action + "/action'"}
	}
}

func (s *Server) get(name, version string) (bundle, *refusal) {
	if no := s.may("getSecret", name); no != nil {
		return bundle{}, no
	}
	e := s.secrets[strings.ToLower(name)]
	if e == nil || !e.deleted.IsZero() {
		return bundle{}, notFound(name)
	}
	v := e.newest()
	if version != "" {
		v = e.version(version)
	}
	switch {
	case v == nil:
		return bundle{}, notFound(name)
	case !v.Enabled:
		return bundle{}, &refusal{http.StatusForbidden, "Forbidden", "SecretDisabled", "Operation get is not allowed on a disabled secret."}
	}
	return e.bundle(v, true), nil
}

func notFound(name string) *refusal {
	return &refusal{http.StatusNotFound, "SecretNotFound", "", "A secret with (name/id) " + name + " was not found in this key vault."}
}

func (s *Server) set(name string, r *http.Request) (bundle, *refusal) {
	if no := s.may("setSecret", name); no != nil {
		return bundle{}, no
	}
	var in setBody
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Value == nil {
		return bundle{}, bad("Property value is required")
	}
	if len(*in.Value) > maxValue {
		return bundle{}, bad("The property value has an invalid length")
	}
	if no := badTags(in.Tags); no != nil {
		return bundle{}, no
	}
	if e := s.secrets[strings.ToLower(name)]; e != nil && !e.deleted.IsZero() {
		return bundle{}, &refusal{
			http.StatusConflict, "Conflict", "ObjectIsDeletedButRecoverable",
			"Secret " + name + " is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.",
		}
	}
	on := in.Attributes.Enabled == nil || *in.Attributes.Enabled
	v := s.add(name, Version{Value: *in.Value, ContentType: in.ContentType, Tags: in.Tags, Enabled: on})
	return s.secrets[strings.ToLower(name)].bundle(v, true), nil
}

func badTags(tags map[string]string) *refusal {
	if len(tags) > maxTags {
		return bad("There are too many tags")
	}
	for k, v := range tags {
		if len(k) > maxTag || len(v) > maxTag {
			return bad("A tag is too long")
		}
	}
	return nil
}

func (s *Server) update(name, version string, r *http.Request) (bundle, *refusal) {
	if no := s.may("update", name); no != nil {
		return bundle{}, no
	}
	e := s.secrets[strings.ToLower(name)]
	if e == nil || !e.deleted.IsZero() || e.version(version) == nil {
		return bundle{}, notFound(name)
	}
	var in setBody
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return bundle{}, bad("the body cannot be read")
	}
	v := e.version(version)
	if in.Attributes.Enabled != nil {
		v.Enabled = *in.Attributes.Enabled
	}
	if in.Tags != nil {
		v.Tags = in.Tags
	}
	v.Updated = s.now()
	return e.bundle(v, false), nil
}

func (s *Server) getDeleted(name string) (bundle, *refusal) {
	if no := s.may("readMetadata", name); no != nil {
		return bundle{}, no
	}
	e := s.secrets[strings.ToLower(name)]
	if e == nil || e.deleted.IsZero() {
		return bundle{}, notFound(name)
	}
	b := e.bundle(e.newest(), false)
	b.RecoveryID = Vault + "/deletedsecrets/" + e.name
	b.DeletedDate, b.ScheduledPurgeDate = e.deleted.Unix(), e.deleted.AddDate(0, 0, keptDays).Unix()
	return b, nil
}

// bundle is a version in the form in which it travels.
func (e *entry) bundle(v *Version, value bool) bundle {
	b := bundle{
		ContentType: v.ContentType, ID: Vault + "/secrets/" + e.name + "/" + v.ID, Tags: v.Tags,
		Attributes: attributes{&v.Enabled, v.Created.Unix(), v.Updated.Unix(), "Recoverable+Purgeable", keptDays},
	}
	if value {
		b.Value = v.Value
	}
	return b
}
