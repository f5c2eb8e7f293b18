//go:build !linux

package main_test

import (
	"errors"
	"os/exec"
)

// runAtTerminal: scripts use "[linux] terminal …".
func runAtTerminal(*exec.Cmd, int) (string, error) { return "", errors.ErrUnsupported }
