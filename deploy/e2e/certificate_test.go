//go:build e2e

package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"time"
)

// certify makes a CA, and a certificate of it for a server's address, with its
// key; all in PEM.
func certify(address string) (ca, cert, key string, err error) {
	ip := net.ParseIP(address)
	if ip == nil {
		return "", "", "", fmt.Errorf("%q is no address", address)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", "", err
	}
	caOf := valid(1, "e2e CA")
	caOf.IsCA, caOf.BasicConstraintsValid = true, true
	if ca, err = sign(caOf, caOf, caKey, caKey); err != nil {
		return "", "", "", err
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", "", err
	}
	server := valid(2, "sandbox")
	server.IPAddresses = []net.IP{ip}
	if cert, err = sign(server, caOf, serverKey, caKey); err != nil {
		return "", "", "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(serverKey)
	return ca, cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
}

func valid(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

func sign(what, by *x509.Certificate, key, with *ecdsa.PrivateKey) (string, error) {
	der, err := x509.CreateCertificate(rand.Reader, what, by, key.Public(), with)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), err
}

func joinHostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
