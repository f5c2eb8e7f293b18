package gcptest

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// permissionOf is what each call needs, by the reference of IAM permissions.
func permissionOf(method string) string {
	return "secretmanager." + map[string]string{
		"CreateSecret": "secrets.create", "GetSecret": "secrets.get", "UpdateSecret": "secrets.update",
		"DeleteSecret": "secrets.delete", "ListSecretVersions": "versions.list", "AddSecretVersion": "versions.add",
		"GetSecretVersion": "versions.get", "AccessSecretVersion": "versions.access",
		"EnableSecretVersion": "versions.enable", "DisableSecretVersion": "versions.disable",
		"DestroySecretVersion": "versions.destroy",
		"TestIamPermissions":   "none", // the documents: it needs no permission
	}[method]
}

// intercept runs a call between its hooks.
func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, effect grpc.UnaryHandler) (any, error) {
	call := s.arrived(info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:], req)
	fault := None
	if s.Before != nil {
		fault = s.Before(call)
	}
	lost := status.Error(codes.Unavailable, "fault")
	switch fault {
	case LostRequest:
		return nil, lost
	case Late:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = append(s.late, func() { _, _ = effect(context.WithoutCancel(ctx), req) })
		return nil, lost
	case Internal:
		return nil, status.Error(codes.Internal, "fault")
	case Exhausted:
		return nil, status.Error(codes.ResourceExhausted, "fault")
	case Denied:
		return nil, status.Error(codes.PermissionDenied, "fault")
	default:
	}
	answer, err := s.permitted(ctx, call, effect)
	if s.After != nil {
		s.After(call)
	}
	if fault == LostAnswer && err == nil {
		return nil, lost
	}
	return answer, err
}

// arrived writes a call down.
func (s *Server) arrived(method string, req any) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[method]++
	call := Call{Method: method, Number: len(s.log) + 1, Nth: s.counts[method], Permission: permissionOf(method), Request: req}
	s.log = append(s.log, call)
	return call
}

func (s *Server) permitted(ctx context.Context, call Call, effect grpc.UnaryHandler) (any, error) {
	if s.isDenied(call.Permission) {
		return nil, status.Errorf(codes.PermissionDenied, "Permission '%s' denied for resource '%s' (or it may not exist).",
			call.Permission, resourceOf(call.Request))
	}
	return effect(ctx, call.Request)
}

// Deny takes a permission away, such as "secretmanager.versions.add".
func (s *Server) Deny(permission string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[permission] = true
}

// Allow gives all permissions back.
func (s *Server) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.denied)
}

func (s *Server) isDenied(permission string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied[permission]
}

// resourceOf gives the name that a request is about.
func resourceOf(req any) string {
	switch r := req.(type) {
	case interface{ GetName() string }:
		return r.GetName()
	case interface{ GetParent() string }:
		return r.GetParent()
	default:
		return "the secret"
	}
}
