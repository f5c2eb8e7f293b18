//go:build unix

package setup

import "syscall"

// detached keeps a program from ending with the terminal that it was started at.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
