package fleet

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

// Instance names this process in what it writes and shows.
func Instance() string { return instance() }

// instance names this process in what it writes: where it runs, and which it is.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	process := fmt.Sprintf("/%d", os.Getpid())
	return host[:min(len(host), secretstore.MaxHolder-len(process))] + process
}

// gone tells whether an instance ran on this host and its process is there no more.
// Where that cannot be told, as on another host, it may be.
func gone(name string) bool {
	host, process, ok := cutLast(name)
	here, _, _ := cutLast(instance())
	pid, err := strconv.Atoi(process)
	if !ok || err != nil || pid <= 0 || host != here {
		return false
	}
	p, err := os.FindProcess(pid)
	return err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

func cutLast(name string) (host, process string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}
