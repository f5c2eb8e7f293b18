package gcptest

import (
	"context"
	"strings"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// AddSecretVersion implements the service. Every call adds a version.
func (s *Server) AddSecretVersion(_ context.Context, req *secretmanagerpb.AddSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(req.GetParent())
	if err != nil {
		return nil, err
	}
	data := req.GetPayload().GetData()
	given := req.GetPayload().DataCrc32C
	switch {
	case s.Quirks.EchoPayload:
		return nil, status.Errorf(codes.InvalidArgument, "The payload [%s] is invalid.", strings.ReplaceAll(string(data), ",", ", "))
	case len(data) == 0 || len(data) > maxPayload:
		return nil, status.Errorf(codes.InvalidArgument, "The payload has %d bytes, 1 to %d are allowed.", len(data), maxPayload)
	case given != nil && *given != crc32c(data) && !s.Quirks.NoChecksums:
		return nil, status.Error(codes.InvalidArgument, "The payload does not match its checksum.")
	}
	return copyOf(s.add(sec, data, given != nil).meta), nil
}

// GetSecretVersion implements the service. It knows aliases.
func (s *Server) GetSecretVersion(_ context.Context, req *secretmanagerpb.GetSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.findVersion(req.GetName(), true)
	if err != nil {
		return nil, err
	}
	return copyOf(v.meta), nil
}

// AccessSecretVersion implements the service. It knows aliases.
func (s *Server) AccessSecretVersion(_ context.Context, req *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.findVersion(req.GetName(), true)
	if err != nil {
		return nil, err
	}
	if err := v.mustBe(secretmanagerpb.SecretVersion_ENABLED); err != nil {
		return nil, err
	}
	crc := crc32c(v.data)
	payload := &secretmanagerpb.SecretPayload{Data: append([]byte(nil), v.data...), DataCrc32C: &crc}
	if s.Quirks.NoChecksums {
		payload.DataCrc32C = nil
	}
	if s.Quirks.DamageAccess {
		payload.Data[0] ^= 1
	}
	return &secretmanagerpb.AccessSecretVersionResponse{Name: v.meta.GetName(), Payload: payload}, nil
}

// mustBe refuses a version that is in another state.
func (v *version) mustBe(state secretmanagerpb.SecretVersion_State) error {
	if v.meta.GetState() == state {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition, "Secret Version [%s] is in %s state.", v.meta.GetName(), v.meta.GetState())
}

// EnableSecretVersion implements the service.
func (s *Server) EnableSecretVersion(_ context.Context, req *secretmanagerpb.EnableSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return s.move(req.GetName(), req.GetEtag(), secretmanagerpb.SecretVersion_ENABLED)
}

// DisableSecretVersion implements the service.
func (s *Server) DisableSecretVersion(_ context.Context, req *secretmanagerpb.DisableSecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return s.move(req.GetName(), req.GetEtag(), secretmanagerpb.SecretVersion_DISABLED)
}

// DestroySecretVersion implements the service.
func (s *Server) DestroySecretVersion(_ context.Context, req *secretmanagerpb.DestroySecretVersionRequest) (*secretmanagerpb.SecretVersion, error) {
	return s.move(req.GetName(), req.GetEtag(), secretmanagerpb.SecretVersion_DESTROYED)
}

// move brings a version into another state. From DESTROYED nothing leads back; a
// version that an alias names cannot be destroyed.
func (s *Server) move(name, etag string, state secretmanagerpb.SecretVersion_State) (*secretmanagerpb.SecretVersion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, v, err := s.findVersion(name, false)
	if err != nil {
		return nil, err
	}
	if err := s.stale(etag, v.meta.GetEtag(), v.meta.GetName()); err != nil {
		return nil, err
	}
	if v.meta.GetState() == secretmanagerpb.SecretVersion_DESTROYED {
		return nil, v.mustBe(secretmanagerpb.SecretVersion_ENABLED)
	}
	if state == secretmanagerpb.SecretVersion_DESTROYED {
		for alias, number := range sec.meta.GetVersionAliases() {
			if sec.versions[number-1] == v {
				return nil, status.Errorf(codes.FailedPrecondition, "Secret Version [%s] has the alias [%s].", v.meta.GetName(), alias)
			}
		}
		v.data, v.meta.DestroyTime = nil, s.timestamp()
	}
	v.meta.State, v.meta.Etag = state, s.etag()
	return copyOf(v.meta), nil
}
