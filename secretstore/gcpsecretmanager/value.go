package gcpsecretmanager

import (
	"hash/crc32"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// crc32cOf gives the checksum that the service knows payloads by.
func crc32cOf(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// checksum is that of a stored value.
func checksum(stored secret.Value) uint32 { return crc32cOf([]byte(stored.Reveal())) }

// maxPayload is what a version may hold, in bytes (quotas of Secret Manager).
const maxPayload = 64 * 1024

func tooLarge(stored secret.Value) bool { return len(stored.Reveal()) > maxPayload }

// wire puts a stored value into the form in which it travels.
func wire(stored secret.Value) *secretmanagerpb.SecretPayload {
	data := []byte(stored.Reveal())
	crc := int64(crc32cOf(data))
	return &secretmanagerpb.SecretPayload{Data: data, DataCrc32C: &crc}
}

// unwire takes a value out of the form in which it travelled; whole is false if
// its checksum says that it was damaged on the way.
func unwire(p *secretmanagerpb.SecretPayload) (stored secret.Value, crc uint32, whole bool) {
	crc = crc32cOf(p.GetData())
	whole = p.DataCrc32C == nil || p.GetDataCrc32C() == int64(crc)
	return secret.New(string(p.GetData())), crc, whole
}
