package awstest

import "slices"

// empty tells whether the version has no value: it was made by RotateSecret.
func (v *version) empty() bool { return v.text == nil && v.binary == nil }

// rotate is RotateSecret up to where the service begins to call the rotation function.
func (s *Server) rotate(e *secretEntry, q *request) (answer, *refusal) {
	if r := checkToken(q.ClientRequestToken); r != nil {
		return nil, r
	}
	if p := e.bearer(labelPending); p != nil && !slices.Contains(p.labels, labelCurrent) {
		return nil, invalid("InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted.")
	}
	if e.version(q.ClientRequestToken) != nil {
		return nil, invalid("ResourceExistsException", "The version %s exists already.", q.ClientRequestToken)
	}
	v := &version{id: q.ClientRequestToken, created: s.now()}
	e.versions = append(e.versions, v)
	e.give(labelPending, v)
	return answer{"ARN": e.arn, "Name": e.name, "VersionId": v.id}, nil
}
