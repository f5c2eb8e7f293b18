package gcptest

import (
	"context"
	"fmt"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
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
