package gcptest

import (
	"context"
	"regexp"
	"slices"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// CreateSecret implements the service.
func (s *Server) CreateSecret(_ context.Context, req *secretmanagerpb.CreateSecretRequest) (*secretmanagerpb.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`).MatchString(req.GetSecretId()) {
		return nil, status.Errorf(codes.InvalidArgument, "The secret id [%s] is invalid.", req.GetSecretId())
	}
	name := canonical(req.GetParent()) + "/secrets/" + req.GetSecretId()
	if _, there := s.secrets[name]; there {
		return nil, status.Errorf(codes.AlreadyExists, "Secret [%s] already exists.", name)
	}
	regional := regexp.MustCompile(`/locations/`).MatchString(name)
	if regional == (req.GetSecret().GetReplication() != nil) {
		return nil, status.Error(codes.InvalidArgument, "A secret has a replication policy unless it is regional.")
	}
	sec := &secret{meta: copyOf(req.GetSecret())}
	if err := sec.check(sec.meta); err != nil {
		return nil, err
	}
	sec.meta.Name, sec.meta.CreateTime, sec.meta.Etag = name, s.timestamp(), s.etag()
	s.secrets[name] = sec
	return copyOf(sec.meta), nil
}

// GetSecret implements the service.
func (s *Server) GetSecret(_ context.Context, req *secretmanagerpb.GetSecretRequest) (*secretmanagerpb.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(req.GetName())
	if err != nil {
		return nil, err
	}
	return copyOf(sec.meta), nil
}

// UpdateSecret implements the service. A mask's path replaces the whole field.
func (s *Server) UpdateSecret(_ context.Context, req *secretmanagerpb.UpdateSecretRequest) (*secretmanagerpb.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(req.GetSecret().GetName())
	if err != nil {
		return nil, err
	}
	if err := s.stale(req.GetSecret().GetEtag(), sec.meta.GetEtag(), sec.meta.GetName()); err != nil {
		return nil, err
	}
	next, err := s.masked(sec, req)
	if err != nil {
		return nil, err
	}
	if err := sec.check(next); err != nil {
		return nil, err
	}
	next.Etag = s.etag()
	sec.meta = next
	return copyOf(next), nil
}

// masked gives the secret with the fields of the mask replaced.
func (s *Server) masked(sec *secret, req *secretmanagerpb.UpdateSecretRequest) (*secretmanagerpb.Secret, error) {
	paths := req.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		return nil, status.Error(codes.InvalidArgument, "The update mask is empty.")
	}
	next := copyOf(sec.meta)
	given := copyOf(req.GetSecret())
	for _, path := range paths {
		switch path {
		case "annotations":
			if !s.Quirks.DropAnnotations {
				next.Annotations = given.GetAnnotations()
			}
		case "version_aliases":
			if s.Quirks.RefuseAliases {
				return nil, status.Error(codes.FailedPrecondition, "Version aliases cannot be changed.")
			}
			if !s.Quirks.DropAliases {
				next.VersionAliases = given.GetVersionAliases()
			}
		case "labels":
			next.Labels = given.GetLabels()
		case "expire_time":
			next.Expiration = given.GetExpiration()
		case "rotation":
			next.Rotation = given.GetRotation()
		case "topics":
			next.Topics = given.GetTopics()
		default:
			return nil, status.Errorf(codes.InvalidArgument, "The field [%s] cannot be updated.", path)
		}
	}
	return next, nil
}

// DeleteSecret implements the service.
func (s *Server) DeleteSecret(_ context.Context, req *secretmanagerpb.DeleteSecretRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(req.GetName())
	if err != nil {
		return nil, err
	}
	if err := s.stale(req.GetEtag(), sec.meta.GetEtag(), sec.meta.GetName()); err != nil {
		return nil, err
	}
	delete(s.secrets, sec.meta.GetName())
	return &emptypb.Empty{}, nil
}

// ListSecretVersions implements the service, the newest version first. It knows
// the filters "state:ENABLED" and the like.
func (s *Server) ListSecretVersions(_ context.Context, req *secretmanagerpb.ListSecretVersionsRequest) (*secretmanagerpb.ListSecretVersionsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, err := s.find(req.GetParent())
	if err != nil {
		return nil, err
	}
	var all []*secretmanagerpb.SecretVersion
	for _, v := range slices.Backward(sec.versions) {
		if req.GetFilter() == "" || req.GetFilter() == "state:"+v.meta.GetState().String() {
			all = append(all, copyOf(v.meta))
		}
	}
	return page(all, req)
}

// page cuts a list; its tokens are the names that the next page begins with.
func page(all []*secretmanagerpb.SecretVersion, req *secretmanagerpb.ListSecretVersionsRequest) (*secretmanagerpb.ListSecretVersionsResponse, error) {
	answer := &secretmanagerpb.ListSecretVersionsResponse{TotalSize: int32(len(all))}
	if token := req.GetPageToken(); token != "" {
		from := slices.IndexFunc(all, func(v *secretmanagerpb.SecretVersion) bool { return v.GetName() == token })
		if from < 0 {
			return nil, status.Error(codes.InvalidArgument, "The page token is invalid.")
		}
		all = all[from:]
	}
	size := int(req.GetPageSize())
	if size == 0 || size > len(all) {
		size = len(all)
	}
	if size < len(all) {
		answer.NextPageToken = all[size].GetName()
	}
	answer.Versions = all[:size]
	return answer, nil
}
