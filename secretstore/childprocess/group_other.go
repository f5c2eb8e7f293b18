//go:build !unix

package childprocess

import "os/exec"

// ofItsOwnGroup: there are no groups here; the program alone is ended.
func ofItsOwnGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
