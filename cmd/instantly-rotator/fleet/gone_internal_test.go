package fleet

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Only what is known to be gone is: a process of another host, or one that lives, may be
// at it.
func TestAProcessOfThisHostThatEndedIsGone(t *testing.T) {
	host, _, _ := cutLast(instance())
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	pid := ended.Process.Pid
	for name, want := range map[string]bool{
		fmt.Sprintf("%s/%d", host, pid):          true,
		fmt.Sprintf("other-%s/%d", host, pid):    false,
		instance():                               false,
		fmt.Sprintf("%s/%d", host, os.Getppid()): false,
		host:                                     false,
		host + "/":                               false,
		host + "/0":                              false,
		"":                                       false,
	} {
		if got := gone(name); got != want {
			t.Errorf("%q is gone: %t", name, got)
		}
	}
}
