//go:build !linux

package service

// monotonic is for systemd, which is on Linux only.
func monotonic() string { return "" }
