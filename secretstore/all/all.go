// Package all lists the kinds of stores that there are.
package all

import (
	"github.com/instantly-rotator/instantly-rotator/secretstore/awssecretsmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/azurekeyvault"
	"github.com/instantly-rotator/instantly-rotator/secretstore/filestore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
	"github.com/instantly-rotator/instantly-rotator/secretstore/kubernetessecret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
	"github.com/instantly-rotator/instantly-rotator/secretstore/vaultkv"
)

// Kinds lists them in the order in which people are shown them. A new backend needs
// its package and a line here.
func Kinds() []storekind.Kind {
	return []storekind.Kind{
		filestore.Kind(),
		awssecretsmanager.Kind(),
		gcpsecretmanager.Kind(),
		kubernetessecret.Kind(),
		vaultkv.Kind(),
		azurekeyvault.Kind(),
	}
}
