// Command serve answers as Vault does, in front of HashiCorp's own KV engine, on a port of
// the loopback interface. It prints its address and which engine it is, and serves until
// its standard input ends, which it does with whoever has started it.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/realengine"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/vaulttest"
)

func main() {
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	engine, err := realengine.New(ctx)
	if err != nil {
		return err
	}
	defer engine.Close(ctx)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: vaulttest.New(engine), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(ended) }()
	fmt.Printf("http://%s HashiCorp's KV engine %s\n", listener.Addr(), version())
	select {
	case err := <-failed:
		return err
	case <-ended:
		return server.Close()
	}
}

// version is that of the engine in this program.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/hashicorp/vault-plugin-secrets-kv" {
				return m.Version
			}
		}
	}
	return "of an unknown version"
}
