package awstest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// answer is the body of a 200.
type answer map[string]any

// request is the union of what the actions take. Fields that an action does
// not know are refused by accepts.
type request struct {
	Name, Description          string
	SecretID                   string `json:"SecretId"`
	KMSKeyID                   string `json:"KmsKeyId"`
	ClientRequestToken         string
	SecretString               *string
	SecretBinary               *string
	VersionID                  string `json:"VersionId"`
	VersionStage               string
	VersionStages              []string
	RemoveFrom                 string `json:"RemoveFromVersionId"`
	MoveTo                     string `json:"MoveToVersionId"`
	Tags                       []wireTag
	TagKeys                    []string
	IncludeDeprecated          bool
	ForceDeleteWithoutRecovery bool
	RecoveryWindowInDays       int
	MaxResults                 int
	NextToken                  string
}

// action is one call of the service on a secret.
type action struct {
	// accepts lists the parameters beside SecretId.
	accepts []string
	run     func(s *Server, e *secretEntry, q *request) (answer, *refusal)
	// deleted: it can be called on a secret that is scheduled for deletion.
	deleted bool
}

func actions() map[string]action {
	return map[string]action{
		"DescribeSecret":           {nil, (*Server).describe, true},
		"GetSecretValue":           {[]string{"VersionId", "VersionStage"}, (*Server).get, false},
		"PutSecretValue":           {[]string{"ClientRequestToken", "SecretString", "SecretBinary", "VersionStages"}, (*Server).putValue, false},
		"UpdateSecret":             {[]string{"ClientRequestToken", "SecretString", "SecretBinary", "Description", "KmsKeyId"}, (*Server).update, false},
		"UpdateSecretVersionStage": {[]string{"VersionStage", "RemoveFromVersionId", "MoveToVersionId"}, (*Server).moveLabel, false},
		"TagResource":              {[]string{"Tags"}, (*Server).tag, false},
		"UntagResource":            {[]string{"TagKeys"}, (*Server).untag, false},
		"ListSecretVersionIds":     {[]string{"IncludeDeprecated", "MaxResults", "NextToken"}, (*Server).list, true},
		"DeleteSecret":             {[]string{"ForceDeleteWithoutRecovery", "RecoveryWindowInDays"}, (*Server).deleteSecret, true},
		"RestoreSecret":            {nil, (*Server).restore, true},
		"RotateSecret":             {[]string{"ClientRequestToken", "RotationLambdaARN", "RotationRules", "RotateImmediately"}, (*Server).rotate, false},
	}
}

// do runs one call; the caller holds the lock.
func (s *Server) do(name string, body []byte) (answer, *refusal) {
	fields := map[string]json.RawMessage{}
	var q request
	if json.Unmarshal(body, &fields) != nil || json.Unmarshal(body, &q) != nil {
		return nil, invalid("SerializationException", "the body cannot be read")
	}
	if name == "CreateSecret" {
		return s.create(fields, &q)
	}
	a, known := actions()[name]
	if !known {
		return nil, invalid("UnknownOperationException", "no such action: %s", name)
	}
	if r := onlyKnown(fields, append([]string{"SecretId"}, a.accepts...)); r != nil {
		return nil, r
	}
	if !isSecretID(q.SecretID) {
		return nil, invalidName()
	}
	e := s.find(q.SecretID)
	if e == nil {
		return nil, notFound(".")
	}
	if !e.deleted.IsZero() && !a.deleted {
		return nil, invalid("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return a.run(s, e, &q)
}

func onlyKnown(fields map[string]json.RawMessage, known []string) *refusal {
	for name := range fields {
		if !slices.Contains(known, name) {
			return invalid("SerializationException", "unknown parameter %s", name)
		}
	}
	return nil
}

func invalidName() *refusal {
	return invalid("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
}

func isSecretName(s string) bool {
	return len(s) >= 1 && len(s) <= 512 && isMadeOf(s, "/_+=.@!-")
}

func isSecretID(s string) bool {
	_, resource, isARN := strings.Cut(s, ":secret:")
	return isSecretName(s) || isARN && isSecretName(resource)
}

func checkToken(token string) *refusal {
	switch {
	case token == "":
		return invalid("InvalidRequestException", "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	case len(token) < 32 || len(token) > 64:
		return invalid("ValidationException", "ClientRequestToken has 32 to 64 characters, not %d", len(token))
	default:
		return nil
	}
}

// valueOf makes a version of what was sent; nil if nothing was.
func (s *Server) valueOf(q *request) (*version, *refusal) {
	if q.SecretString == nil && q.SecretBinary == nil {
		return nil, nil
	}
	if q.SecretString != nil && q.SecretBinary != nil {
		return nil, invalid("InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	if r := checkToken(q.ClientRequestToken); r != nil {
		return nil, r
	}
	v := &version{id: q.ClientRequestToken, text: q.SecretString, created: s.now()}
	if v.text == nil {
		raw, err := base64.StdEncoding.DecodeString(*q.SecretBinary)
		if err != nil {
			return nil, invalid("SerializationException", "SecretBinary is not base64")
		}
		v.binary = raw
	}
	if size := v.size(); size < 1 || size > 65536 {
		return nil, invalid("ValidationException", "a value has 1 to 65536 bytes, not %d", size)
	}
	return v, nil
}

func (s *Server) create(fields map[string]json.RawMessage, q *request) (answer, *refusal) {
	known := []string{"Name", "ClientRequestToken", "Description", "KmsKeyId", "SecretString", "SecretBinary", "Tags"}
	if r := onlyKnown(fields, known); r != nil {
		return nil, r
	}
	if !isSecretName(q.Name) {
		return nil, invalidName()
	}
	v, r := s.valueOf(q)
	if r != nil {
		return nil, r
	}
	if e := s.find(q.Name); e != nil {
		if !e.deleted.IsZero() {
			return nil, invalid("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
		}
		return nil, invalid("ResourceExistsException", "The operation failed because the secret %s already exists.", q.Name)
	}
	e := &secretEntry{
		name: q.Name, arn: "arn:aws:secretsmanager:" + Region + ":" + accountID + ":secret:" + q.Name + "-" + rand.Text()[:6],
		description: q.Description, kmsKeyID: q.KMSKeyID, created: s.now(), changed: s.now(),
	}
	if len(q.Tags) > 0 {
		if r := e.setTags(q.Tags); r != nil {
			return nil, r
		}
	}
	out := answer{"ARN": e.arn, "Name": e.name}
	if v != nil {
		if _, r := e.put(v, nil); r != nil {
			return nil, r
		}
		out["VersionId"] = v.id
	}
	s.secrets = append(s.secrets, e)
	return out, nil
}

func (s *Server) describe(e *secretEntry, _ *request) (answer, *refusal) {
	out := answer{"ARN": e.arn, "Name": e.name, "CreatedDate": seconds(e.created), "LastChangedDate": seconds(e.changed)}
	if e.description != "" {
		out["Description"] = e.description
	}
	if e.kmsKeyID != "" {
		out["KmsKeyId"] = e.kmsKeyID
	}
	if !e.deleted.IsZero() {
		out["DeletedDate"] = seconds(e.deleted)
	}
	if stages := e.stages(); len(stages) > 0 {
		out["VersionIdsToStages"] = stages
	}
	if e.tagged {
		out["Tags"] = append([]wireTag{}, e.tags...)
	}
	return out, nil
}

func (s *Server) get(e *secretEntry, q *request) (answer, *refusal) {
	label := q.VersionStage
	if label == "" && q.VersionID == "" {
		label = labelCurrent
	}
	var v *version
	if q.VersionID != "" {
		if v = e.version(q.VersionID); v == nil {
			return nil, notFound(" value for VersionId: " + q.VersionID)
		}
		if label != "" && !slices.Contains(v.labels, label) {
			return nil, invalid("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
		}
	} else if v = e.bearer(label); v == nil {
		return nil, notFound(" value for staging label: " + label)
	}
	if v.empty() {
		return nil, notFound(" value for VersionId: " + v.id)
	}
	out := answer{"ARN": e.arn, "Name": e.name, "VersionId": v.id, "CreatedDate": seconds(v.created)}
	if len(v.labels) > 0 {
		out["VersionStages"] = v.sorted()
	}
	if v.text != nil {
		out["SecretString"] = *v.text
	} else {
		out["SecretBinary"] = base64.StdEncoding.EncodeToString(v.binary)
	}
	return out, nil
}

func (s *Server) putValue(e *secretEntry, q *request) (answer, *refusal) {
	if q.VersionStages != nil && len(q.VersionStages) == 0 {
		return nil, invalid("ValidationException", "VersionStages has at least one item")
	}
	if r := checkToken(q.ClientRequestToken); r != nil {
		return nil, r
	}
	v, r := s.valueOf(q)
	if r != nil {
		return nil, r
	}
	if v == nil {
		return nil, invalid("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	if v, r = e.put(v, q.VersionStages); r != nil {
		return nil, r
	}
	return answer{"ARN": e.arn, "Name": e.name, "VersionId": v.id, "VersionStages": v.sorted()}, nil
}

func (s *Server) update(e *secretEntry, q *request) (answer, *refusal) {
	v, r := s.valueOf(q)
	if r != nil {
		return nil, r
	}
	out := answer{"ARN": e.arn, "Name": e.name}
	if v != nil {
		if v, r = e.put(v, nil); r != nil {
			return nil, r
		}
		out["VersionId"] = v.id
	}
	if q.Description != "" {
		e.description = q.Description
	}
	e.changed = s.now()
	return out, nil
}

func (s *Server) moveLabel(e *secretEntry, q *request) (answer, *refusal) {
	if r := e.checkLabels(nil); r != nil {
		return nil, r
	}
	if n := len([]rune(q.VersionStage)); n < 1 || n > 256 {
		return nil, invalid("ValidationException", "a staging label has 1 to 256 characters, not %d", n)
	}
	if r := e.move(q.VersionStage, q.RemoveFrom, q.MoveTo); r != nil {
		return nil, r
	}
	e.changed = s.now()
	return answer{"ARN": e.arn, "Name": e.name}, nil
}

func (s *Server) tag(e *secretEntry, q *request) (answer, *refusal) {
	return answer{}, e.setTags(q.Tags)
}

func (s *Server) untag(e *secretEntry, q *request) (answer, *refusal) {
	if len(q.TagKeys) == 0 {
		return nil, invalid("ValidationException", "TagKeys has at least one item")
	}
	e.tags = slices.DeleteFunc(e.tags, func(t wireTag) bool { return slices.Contains(q.TagKeys, t.Key) })
	return answer{}, nil
}

func (s *Server) list(e *secretEntry, q *request) (answer, *refusal) {
	versions := []answer{}
	for _, v := range e.versions {
		if len(v.labels) == 0 && !q.IncludeDeprecated {
			continue
		}
		a := answer{"VersionId": v.id, "CreatedDate": seconds(v.created), "KmsKeyIds": []string{"DefaultEncryptionKey"}}
		if len(v.labels) > 0 {
			a["VersionStages"] = v.sorted()
		}
		versions = append(versions, a)
	}
	return answer{"ARN": e.arn, "Name": e.name, "Versions": versions}, nil
}

func (s *Server) deleteSecret(e *secretEntry, q *request) (answer, *refusal) {
	if q.ForceDeleteWithoutRecovery && q.RecoveryWindowInDays != 0 {
		return nil, invalid("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	}
	if !q.ForceDeleteWithoutRecovery && !e.deleted.IsZero() {
		return nil, invalid("InvalidRequestException", "You tried to perform the operation on a secret that's currently marked deleted.")
	}
	if q.ForceDeleteWithoutRecovery {
		s.secrets = slices.DeleteFunc(s.secrets, func(other *secretEntry) bool { return other == e })
	}
	e.deleted = s.now()
	return answer{"ARN": e.arn, "Name": e.name, "DeletionDate": seconds(e.deleted.Add(30 * 24 * time.Hour))}, nil
}

func (s *Server) restore(e *secretEntry, _ *request) (answer, *refusal) {
	e.deleted = time.Time{}
	return answer{"ARN": e.arn, "Name": e.name}, nil
}

// seconds is a time as the protocol writes it: with three digits after the
// point, as the service does.
func seconds(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond)))
}
