//go:build !unix

package supervise

import "os"

// stopSignal ends a program: there is no way to ask it to.
var stopSignal = os.Kill

// Signals lists those that are passed on to the program.
func Signals(bool) []os.Signal { return []os.Signal{os.Interrupt} }

func asksForEnd(s os.Signal) bool { return s == os.Interrupt }

func signalOf(*os.ProcessState) (int, bool) { return 0, false }
