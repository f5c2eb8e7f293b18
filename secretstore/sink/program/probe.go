package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/sink"
)

var _ sink.Prober = (*Sink)(nil)

// Probe implements [sink.Prober]: is the program there? It is not run.
func (s *Sink) Probe(context.Context) (string, error) {
	_, err := exec.LookPath(s.o.Command[0])
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("program %s: %w: %w", filepath.Base(s.o.Command[0]), secretstore.ErrNotFound, err)
	case err != nil:
		return "", fmt.Errorf("program %s: %w: %w", filepath.Base(s.o.Command[0]), secretstore.ErrDenied, err)
	}
	return "its program is there", nil
}
