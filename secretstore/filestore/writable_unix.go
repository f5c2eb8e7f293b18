//go:build linux || darwin || freebsd

package filestore

import (
	"fmt"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// leastRoom is what a write needs at most, with much to spare: a few states of one key.
const leastRoom = 256 << 10

// takesWrites asks the file system whether a file could be made in a folder.
func takesWrites(dir string) error {
	const writeAndEnter = 2 | 1
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return failed("the next rotation could not be stored: write in "+dir, err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return failed("how full is the disk", err)
	}
	if room := uint64(fs.Bavail) * uint64(fs.Bsize); fs.Blocks > 0 && room < leastRoom { //nolint:gosec,unconvert,nolintlint // types differ by system; neither is negative
		return fmt.Errorf("the next rotation could not be stored: the disk of %s is full, %d bytes are free: %w", dir, room, secretstore.ErrUnavailable)
	}
	return nil
}
