// Package gcptest is a stand-in for GCP Secret Manager: the gRPC service in this
// process, with its state and its refusals, for the real client to talk to. It
// can be made to fail at any call, and to behave like servers that are less
// exact than the real one.
//
// What it answers to Create, Add, Access, GetVersion, Delete and to names that
// are not there is compared, field by field, with traffic recorded on the real
// service (see the package's tests). From documents only are: etags and their
// refusals, update masks, annotations, aliases, the states of versions and what
// can be done in them, filters and pages of lists, permissions, quotas, checks
// of checksums, regional secrets.
package gcptest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// Project is the id of the project that the server knows; answers have its
// number instead, as the real service's have.
const (
	Project       = "acme-prod"
	ProjectNumber = "892942638129"
)

// Quirks make the server less exact than the real one, as emulators are.
type Quirks struct {
	IgnoreEtags     bool // take a write whatever its etag
	FixedEtags      bool // never change an etag
	NoEtags         bool // give none
	DropAliases     bool // take aliases and forget them
	DropAnnotations bool // take annotations and forget them
	NoChecksums     bool // neither check nor give checksums
	RefuseAliases   bool // refuse every write that has aliases in it
	AbortStale      bool // say ABORTED of a stale etag, not FAILED_PRECONDITION
	NoCreateTimes   bool // tell no times
	EchoPayload     bool // repeat the payload, spaced out, in the error of an Add that is refused
	DamageAccess    bool // flip a bit of each payload on its way to the client
}

// Server is the service. Its fields may be set while no call is under way.
type Server struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer

	// Now tells the time; time.Now if nil.
	Now func() time.Time
	// Before is called before a call has its effect, and says what happens to it.
	// It may block. The server is not locked meanwhile.
	Before func(Call) Fault
	// After is called when a call has had its effect, before it is answered.
	After  func(Call)
	Quirks Quirks

	mu      sync.Mutex
	secrets map[string]*secret // by full name with the project's number
	etags   int64
	log     []Call
	counts  map[string]int
	denied  map[string]bool
	late    []func()

	listener *bufconn.Listener
	served   *grpc.Server
}

// Call is one call that reached the server.
type Call struct {
	// Method without the service, such as "AddSecretVersion".
	Method string
	// Number of the call, counted from 1 over all methods; Nth counts the calls
	// of this method.
	Number, Nth int
	// Permission that it needs.
	Permission string
	Request    any
}

// Fault is what happens to a call.
type Fault int

// The faults. They are answered with UNAVAILABLE, but for the last three.
const (
	// None: the call goes through.
	None Fault = iota
	// LostRequest: the call has no effect.
	LostRequest
	// LostAnswer: the effect happens.
	LostAnswer
	// Late: the effect happens when the test calls Arrive.
	Late
	// Internal, Exhausted and Denied: the call has no effect, and is answered
	// with INTERNAL, RESOURCE_EXHAUSTED and PERMISSION_DENIED.
	Internal
	Exhausted
	Denied
)

// New starts a server that can be reached in this process only. Close stops it.
func New() *Server {
	s := &Server{secrets: map[string]*secret{}, counts: map[string]int{}, denied: map[string]bool{}, listener: bufconn.Listen(32 << 10)}
	s.served = grpc.NewServer(grpc.UnaryInterceptor(s.intercept))
	secretmanagerpb.RegisterSecretManagerServiceServer(s.served, s)
	go func() { _ = s.served.Serve(s.listener) }()
	return s
}

// Serve serves on a listener as well, until Close.
func (s *Server) Serve(l net.Listener) { go func() { _ = s.served.Serve(l) }() }

// Close stops the server.
func (s *Server) Close() { s.served.Stop() }

// ClientOptions lead a client to the server; more is for tests that tap the
// client's calls.
func (s *Server) ClientOptions(more ...grpc.DialOption) ([]option.ClientOption, error) {
	dial := append([]grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
	}, more...)
	conn, err := grpc.NewClient("passthrough:///gcptest", dial...)
	if err != nil {
		return nil, fmt.Errorf("gcptest: connect: %w", err)
	}
	return []option.ClientOption{option.WithGRPCConn(conn)}, nil
}

// Calls gives the calls that reached the server so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.log...)
}

// Arrive lets the effects happen of the calls that were late.
func (s *Server) Arrive() {
	s.mu.Lock()
	late := s.late
	s.late = nil
	s.mu.Unlock()
	for _, effect := range late {
		effect()
	}
}
