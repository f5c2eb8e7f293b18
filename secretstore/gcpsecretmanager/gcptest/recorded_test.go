package gcptest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/google/go-cmp/cmp"
	recorded "github.com/google/go-replayers/grpcreplay/proto/grpcreplay"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/gcptest"
)

// recordings is the module that carries traffic with the real service, recorded
// by its own tests. It is not a dependency: it is many times larger than what is
// read of it.
const recordings = "gocloud.dev@v0.47.0"

// TestAnswersAreThoseOfTheRealService sends each recorded request to the server
// and compares the answer with the recorded one, but for times and etags.
func TestAnswersAreThoseOfTheRealService(t *testing.T) {
	root := filepath.Join(download(t, recordings), "runtimevar", "gcpsecretmanager", "testdata", "TestConformance")
	files, exchanges := 0, 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".replay" {
			files++
			t.Run(e.Name(), func(t *testing.T) { exchanges += replay(t, path) })
		}
		return err
	})
	if err != nil || exchanges < 50 {
		t.Fatalf("%d exchanges in %d files, error %v", exchanges, files, err)
	}
	t.Logf("%d exchanges in %d recordings of the real service answered alike", exchanges, files)
}

// download gives the folder of a module.
func download(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	var answer struct{ Dir string }
	if err != nil || json.Unmarshal(out, &answer) != nil || answer.Dir == "" {
		t.Skipf("NOT CHECKED against the real service's recordings: cannot have the module %s", module)
	}
	return answer.Dir
}

// replay goes through one recording and counts its exchanges.
func replay(t *testing.T, path string) int {
	t.Helper()
	server := gcptest.New()
	t.Cleanup(server.Close)
	entries := entriesOf(t, path)
	exchanges := 0
	for i := 0; i+1 < len(entries); i += 2 {
		request, response := entries[i], entries[i+1]
		if request.GetKind() != recorded.Entry_REQUEST || int(response.GetRefIndex()) != i+1 {
			t.Fatalf("entry %d is not a request with its response after it", i+1)
		}
		req := message(t, request)
		inProject(req)
		answer, err := send(t.Context(), server, request.GetMethod(), req)
		compare(t, request.GetMethod(), response, answer, err)
		exchanges++
	}
	return exchanges
}

func compare(t *testing.T, method string, response *recorded.Entry, answer proto.Message, err error) {
	t.Helper()
	want := message(t, response)
	if response.GetIsError() {
		theirs := status.FromProto(want.(*rpcstatus.Status))
		if got := status.Convert(err); got.Code() != theirs.Code() || got.Message() != theirs.Message() {
			t.Errorf("%s: got %v %q, the real service said %v %q", method, got.Code(), got.Message(), theirs.Code(), theirs.Message())
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", method, err)
		return
	}
	noTimes := protocmp.IgnoreFields(&secretmanagerpb.Secret{}, "create_time", "etag")
	noTimesEither := protocmp.IgnoreFields(&secretmanagerpb.SecretVersion{}, "create_time", "etag")
	if diff := cmp.Diff(want, answer, protocmp.Transform(), noTimes, noTimesEither); diff != "" {
		t.Errorf("%s (-real +here):\n%s", method, diff)
	}
}

// entriesOf reads a recording: a magic word, a header, entries, each with its
// length before it.
func entriesOf(t *testing.T, path string) []*recorded.Entry {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rest, ok := bytes.CutPrefix(raw, []byte("RPCReplay"))
	if !ok {
		t.Fatalf("%s is not a recording", path)
	}
	var entries []*recorded.Entry
	for first := true; len(rest) > 0; first = false {
		size := binary.LittleEndian.Uint32(rest)
		chunk := rest[4 : 4+size]
		rest = rest[4+size:]
		if first {
			continue // the header
		}
		e := &recorded.Entry{}
		if err := proto.Unmarshal(chunk, e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

func message(t *testing.T, e *recorded.Entry) proto.Message {
	t.Helper()
	m, err := e.GetMessage().UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// inProject puts the server's project in place of the recorded one.
func inProject(m proto.Message) {
	here := func(name *string) { *name = strings.Replace(*name, "go-cloud-test-216917", gcptest.Project, 1) }
	switch r := m.(type) {
	case *secretmanagerpb.CreateSecretRequest:
		here(&r.Parent)
	case *secretmanagerpb.AddSecretVersionRequest:
		here(&r.Parent)
	case *secretmanagerpb.AccessSecretVersionRequest:
		here(&r.Name)
	case *secretmanagerpb.GetSecretVersionRequest:
		here(&r.Name)
	case *secretmanagerpb.DeleteSecretRequest:
		here(&r.Name)
	}
}

// send makes a call by its full method name.
func send(ctx context.Context, server *gcptest.Server, method string, req proto.Message) (proto.Message, error) {
	for _, m := range secretmanagerpb.SecretManagerService_ServiceDesc.Methods {
		if !strings.HasSuffix(method, "/"+m.MethodName) {
			continue
		}
		receive := func(into any) error { proto.Merge(into.(proto.Message), req); return nil }
		answer, err := m.Handler(server, ctx, receive, nil)
		if err != nil {
			return nil, err
		}
		return answer.(proto.Message), nil
	}
	return nil, status.Errorf(12, "no method %s", method)
}
