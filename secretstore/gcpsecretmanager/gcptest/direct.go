package gcptest

import (
	"context"
	"fmt"
	"strings"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// DirectOptions lead a client to the server without a wire in between: for tests
// that make very many calls.
func (s *Server) DirectOptions(more ...grpc.DialOption) ([]option.ClientOption, error) {
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainUnaryInterceptor(s.shortcut),
	}, more...)
	conn, err := grpc.NewClient("passthrough:///gcptest", dial...)
	if err != nil {
		return nil, fmt.Errorf("gcptest: connect: %w", err)
	}
	return []option.ClientOption{option.WithGRPCConn(conn)}, nil
}

// Tap has hook called at both ends of every call of a client. An error that it
// returns becomes the call's; one that is no gRPC status is a connection that
// broke.
func Tap(hook func(method string, after bool) error) grpc.DialOption {
	fault := func(method string, after bool) error {
		err := hook(method, after)
		if _, ok := status.FromError(err); !ok {
			err = status.Error(codes.Unavailable, "connection reset by peer")
		}
		return err
	}
	return grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		name := method[strings.LastIndex(method, "/")+1:]
		if err := fault(name, false); err != nil {
			return err
		}
		if err := invoke(ctx, method, req, reply, cc, opts...); err != nil {
			return err
		}
		return fault(name, true)
	})
}

// shortcut makes a client's call on the server itself.
func (s *Server) shortcut(ctx context.Context, method string, req, reply any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, _ ...grpc.CallOption) error {
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	receive := func(into any) error {
		proto.Merge(into.(proto.Message), req.(proto.Message))
		return nil
	}
	for _, m := range secretmanagerpb.SecretManagerService_ServiceDesc.Methods {
		if method != "/"+secretmanagerpb.SecretManagerService_ServiceDesc.ServiceName+"/"+m.MethodName {
			continue
		}
		interceptor := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, effect grpc.UnaryHandler) (any, error) {
			return s.intercept(ctx, req, &grpc.UnaryServerInfo{Server: s, FullMethod: method}, effect)
		}
		answer, err := m.Handler(s, ctx, receive, interceptor)
		if err == nil {
			proto.Merge(reply.(proto.Message), answer.(proto.Message))
		}
		return err
	}
	return fmt.Errorf("gcptest: no method %s", method)
}
