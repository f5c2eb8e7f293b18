//go:build !linux

package main_test

import "syscall"

// childAttributes has nothing to offer here: t.Cleanup must do.
func childAttributes() *syscall.SysProcAttr { return nil }
