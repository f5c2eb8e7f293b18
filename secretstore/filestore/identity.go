package filestore

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"filippo.io/age"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// keyring is what an identity file gives: what values are encrypted to, and
// what opens them.
type keyring struct {
	recipient  age.Recipient
	identities []age.Identity
	sum        [sha256.Size]byte // of the file's text
}

// Identities are identity files that were read once for many stores. The zero
// value is ready for use, by several goroutines.
type Identities struct {
	mu   sync.Mutex
	read map[string]keyring // by path
}

// open gives the identity of a path. A file that cannot be used is read again
// by the next store. A nil Identities shares nothing.
func (i *Identities) open(d disk, path string, inUse bool) (keyring, error) {
	if i == nil {
		return openIdentity(d, path, inUse)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if k, ok := i.read[path]; ok {
		return k, nil
	}
	k, err := openIdentity(d, path, inUse)
	if err != nil {
		return keyring{}, err
	}
	if i.read == nil {
		i.read = map[string]keyring{}
	}
	i.read[path] = k
	return k, nil
}

// openIdentity reads the identity file and makes it if it is not there, but
// not for a folder that is in use: then the file is lost or misnamed, and a new
// one would open none of the values.
func openIdentity(d disk, path string, inUse bool) (keyring, error) {
	k, err := readIdentity(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if inUse {
		return keyring{}, fmt.Errorf("identity file %s is not there, but the folder was made with one: restore it, or correct its path: %w",
			path, secretstore.ErrCorrupt)
	}
	if err := makeIdentity(d, path); err != nil {
		return keyring{}, failed("make the identity file", err)
	}
	return readIdentity(path)
}

func readIdentity(path string) (keyring, error) { return rereadIdentity(path, keyring{}) }

// rereadIdentity gives known, if the file still says what that was made of: to parse it
// takes longer than to read it.
func rereadIdentity(path string, known keyring) (keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return keyring{}, failed("read the identity file", err)
	}
	if err := checkMode(path, info.Mode()); err != nil {
		return keyring{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return keyring{}, failed("read the identity file", err)
	}
	if sha256.Sum256(text) == known.sum {
		return known, nil
	}
	k, ok := parseIdentity(text)
	if !ok {
		// The cause is left out: it may quote the key.
		return keyring{}, fmt.Errorf("%s is no age identity file with an AGE-SECRET-KEY-1… in each line; restore it, or make one with age-keygen: %w",
			path, secretstore.ErrCorrupt)
	}
	return k, nil
}

// checkMode refuses a file that everybody can read, or others than its owner
// can write. A group may read: services get such files as 0440 from
// Kubernetes volumes with an fsGroup and from systemd's credentials.
func checkMode(path string, mode fs.FileMode) error {
	const forbidden = 0o027
	if mode.Perm()&forbidden == 0 {
		return nil
	}
	return fmt.Errorf("identity file %s has mode %04o and is open to others: run chmod 600 %s, and consider its key known: %w",
		path, mode.Perm(), path, secretstore.ErrDenied)
}

func parseIdentity(text []byte) (keyring, bool) {
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return keyring{}, false
	}
	first, ok := identities[0].(*age.X25519Identity)
	if !ok {
		return keyring{}, false
	}
	return keyring{recipient: first.Recipient(), identities: identities, sum: sha256.Sum256(text)}, true
}

// makeIdentity makes a new identity file with mode 0600. It is written whole
// under another name and then linked, which fails if the name is taken: of
// several processes one makes the file, and all of them read that one. Killed
// in between, it leaves a key under another name that nothing was encrypted to.
func makeIdentity(d disk, path string) error {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	if err := d.MakeFolder(folder); err != nil {
		return err
	}
	temp := filepath.Join(folder, "."+filepath.Base(path)+"-"+randomName())
	text := fmt.Sprintf("# public key: %s\n%s\n", identity.Recipient(), identity)
	if err := d.Create(temp, []byte(text)); err != nil {
		return err
	}
	linked := d.Link(temp, path)
	if errors.Is(linked, fs.ErrExist) {
		linked = nil
	}
	if err := errors.Join(linked, d.Remove(temp)); err != nil {
		return err
	}
	return d.SyncFolder(folder)
}

// randomName is one that nobody has chosen before, in lower-case hexadecimal:
// some file systems ignore case.
func randomName() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // It never fails, says package crypto/rand.
	return hex.EncodeToString(b[:])
}

// parseRecipients reads recipients from the configuration. What is wrong is
// named by its place and not quoted: it may be an identity that was taken for a
// recipient.
func parseRecipients(texts []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for i, text := range texts {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("recipient %d of %d is not an age X25519 recipient (age1…): %w",
				i+1, len(texts), secretstore.ErrCorrupt)
		}
		all = append(all, r)
	}
	return all, nil
}
