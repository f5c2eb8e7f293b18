package vaulttest

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest/wire"
)

// Decides tells whether a request is the one of a store's write that has the effect: not
// what announces a promotion, destroys an old version or prepares a path.
func Decides(r *http.Request) bool {
	if !wire.IsWrite(r) || !strings.HasPrefix(r.URL.Path, "/v1/"+Mount+"/data/") {
		return false
	}
	body, err := io.ReadAll(r.Body)
	return err == nil && !bytes.Contains(body, []byte(`\"promotion\":`))
}
