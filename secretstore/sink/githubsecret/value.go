package githubsecret

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/nacl/box"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// seal closes a value so that only GitHub opens it: libsodium's sealed box.
func seal(value secret.Value, public *[32]byte) (string, error) {
	sealed, err := box.SealAnonymous(nil, []byte(value.Reveal()), public, rand.Reader)
	if err != nil {
		return "", errors.New("the sealed box could not be made")
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// bearer is the header with a token.
func bearer(token secret.Value) string { return "Bearer " + token.Reveal() }

// maxValue is the most bytes that GitHub takes.
const maxValue = 48 << 10

func tooLong(value secret.Value) bool { return len(value.Reveal()) > maxValue }

// privateKey reads an App's key as GitHub gives it: PEM of PKCS #1, or of PKCS #8. What is wrong
// with it is not told: it would repeat a part.
func privateKey(text secret.Value) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil, errors.New("the App's private key is not in PEM: it begins with -----BEGIN RSA PRIVATE KEY-----")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if rsaKey, ok := key.(*rsa.PrivateKey); ok {
			return rsaKey, nil
		}
	}
	return nil, errors.New("the App's private key is none of RSA")
}
