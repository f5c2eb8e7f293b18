// Package alltest lists the fixtures of all kinds of stores, for the suites that go
// over all of them.
package alltest

import (
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore/all"
	aws "github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager/fixture"
	azure "github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault/fixture"
	file "github.com/instantly-rotator/instantly-rotator/secretstore/filestore/fixture"
	gcp "github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager/fixture"
	kubernetes "github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret/fixture"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
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
		azure.Fixture(),
	}
}

// Primaries lists those of kinds that can be a target's primary.
func Primaries() []storetest.Fixture {
	return slices.DeleteFunc(Fixtures(), func(f storetest.Fixture) bool { return FollowerOnly(f.Kind) })
}

// FollowerOnly tells whether stores of a kind may only follow.
func FollowerOnly(kind string) bool {
	return slices.ContainsFunc(all.Kinds(), func(k storekind.Kind) bool { return k.Name == kind && k.FollowerOnly != "" })
}
