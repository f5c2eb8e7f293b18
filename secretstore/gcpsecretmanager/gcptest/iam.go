package gcptest

import (
	"context"
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// TestIamPermissions implements the service: all permissions are given that were not
// taken away. A secret that is not there has none, by the documents.
func (s *Server) TestIamPermissions(_ context.Context, req *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.find(req.GetResource()); err != nil {
		return &iampb.TestIamPermissionsResponse{}, nil
	}
	given := slices.DeleteFunc(slices.Clone(req.GetPermissions()), func(p string) bool { return s.denied[p] })
	return &iampb.TestIamPermissionsResponse{Permissions: given}, nil
}
