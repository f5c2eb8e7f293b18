package awstest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// StartMoto runs moto, an emulator of AWS that was written by others, for the
// length of the test, without any secrets. Where it is not installed the test is
// skipped, with the words NOT RUN.
func StartMoto(t *testing.T) (url string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("NOT RUN: moto_server is not installed here (pip install 'moto[server]')")
	}
	address := freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, path, "-H", host, "-p", port) //nolint:gosec // that program is what is asked for
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	url = "http://" + address
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err = post(t.Context(), url+"/moto-api/reset"); err == nil {
			return url
		}
		if time.Now().After(deadline) {
			t.Fatalf("moto_server does not answer: %v", err)
		}
		<-time.After(50 * time.Millisecond) // another process: nothing tells when it is ready
	}
}

func post(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// MotoFunction makes a rotation function in moto that does nothing, and gives its ARN.
func MotoFunction(t *testing.T, url string) string {
	t.Helper()
	motoCall(t, url+"/moto-api/config", "application/json", "", `{"lambda": {"use_docker": false}}`)
	role := "Action=CreateRole&Version=2010-05-08&RoleName=rotation&AssumeRolePolicyDocument=%7B%7D"
	motoCall(t, url+"/", "application/x-www-form-urlencoded", "iam", role)
	function := fmt.Sprintf(`{"FunctionName": "rotation", "Runtime": "provided.al2023", "Handler": "none", "Role": "arn:aws:iam::%s:role/rotation", "Code": {"ZipFile": ""}}`, motoAccount)
	motoCall(t, url+"/2015-03-31/functions", "application/json", "lambda", function)
	return "arn:aws:lambda:" + Region + ":" + motoAccount + ":function:rotation"
}

// motoAccount is the account that moto keeps everything in.
const motoAccount = "123456789012"

func motoCall(t *testing.T, url, contentType, service, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if service != "" {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/"+Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if said, _ := io.ReadAll(res.Body); res.StatusCode/100 != 2 {
		t.Fatalf("%s: %s: %s", url, res.Status, said)
	}
}
