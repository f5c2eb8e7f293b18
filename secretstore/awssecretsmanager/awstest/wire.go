package awstest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

const target = "secretsmanager."

// ServeHTTP answers one call of the service.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, refused := s.serve(r)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if refused != nil {
		w.WriteHeader(refused.status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": refused.code, "Message": refused.message})
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) serve(r *http.Request) (answer, *refusal) {
	name, isOurs := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/":
		return nil, invalid("InvalidAction", "%s %s", r.Method, r.URL.Path)
	case !isOurs || r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		return nil, invalid("UnknownOperationException", "X-Amz-Target %q, Content-Type %q", r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"))
	case !isSigned(r):
		return nil, invalid("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, invalid("SerializationException", "the body cannot be read")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, name)
	if permission, denied := s.denied[name]; denied {
		return nil, denial(name, permission)
	}
	return s.do(name, body)
}

// isSigned checks the signature's form; it does not know the key.
func isSigned(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") &&
		strings.Contains(r.Header.Get("Authorization"), "/"+Region+"/secretsmanager/aws4_request") && r.Header.Get("X-Amz-Date") != ""
}

func denial(action, permission string) *refusal {
	if permission == "kms" {
		return invalid("AccessDeniedException", "Access to KMS is not allowed")
	}
	return invalid("AccessDeniedException",
		"User: arn:aws:sts::%s:assumed-role/rotator/session is not authorized to perform: %s on resource: the secret because no identity-based policy allows the %s:%s action",
		accountID, permission, "secretsmanager", action)
}

// Do answers a request without a network, so that a [Server] can be the HTTP
// client of an SDK.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}
