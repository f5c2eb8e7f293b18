// Package alltest lists the fixtures of all kinds of stores, for the suites that go
// over all of them.
package alltest

import (
	aws "github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/fixture"
	file "github.com/instantly-rotator/instantly-rotator/secretstore/filestore/fixture"
	gcp "github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/fixture"
	kubernetes "github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret/fixture"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
	vault "github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv/fixture"
)

// Fixtures lists them. A new backend needs a line here.
func Fixtures() []storetest.Fixture {
	return []storetest.Fixture{
		file.Fixture(),
		aws.Fixture(),
		gcp.Fixture(),
		kubernetes.Fixture(),
		vault.Fixture(),
	}
}
