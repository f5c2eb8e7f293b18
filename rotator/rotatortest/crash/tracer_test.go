//go:build linux && amd64

package crash

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storetest"
)

// A tracer runs a process under ptrace(2) and leads its system calls that touch
// the files below a folder past the interceptor. While one of them is held up, no other
// thread gets further than its next system call.
type tracer struct {
	interceptor *interceptor
	folder      string // as /proc tells it: no symbolic links
	pid         int
	inside      map[int]*traced // threads within a system call
}

// traced is a system call between its two stops.
type traced struct {
	known   bool // one that passes the interceptor
	passage storetest.Passage
	refused syscall.Errno // 0: it goes through
}

// Options of ptrace that package syscall does not have: see ptrace(2) and wait(2).
const (
	ptraceExitKill  = 0x100000
	waitNotOthers   = 0x20000000 // __WNOTHREAD: no children of other threads
	syscallStop     = syscall.SIGTRAP | 0x80
	none            = ^uint64(0) // the number of no system call
	patternRandom   = `-[0-9a-z]+\.age$|\.json[0-9]+$`
	longestPathName = 4096
)

// run runs the process to its end and gives its exit code. The thread it is
// called on is its tracer and its parent.
func (t *tracer) run(bin string, argv []string, attr os.ProcAttr, started func(pid int)) (code int, err error) {
	runtime.LockOSThread() // and never let go: the thread ends with its goroutine
	attr.Sys = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	proc, err := os.StartProcess(bin, argv, &attr)
	if err != nil {
		started(0)
		return 0, err
	}
	t.pid, t.inside = proc.Pid, map[int]*traced{}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(t.pid, &status, syscall.WALL, nil); err != nil {
		started(0)
		return 0, fmt.Errorf("wait for the process to start: %w", err)
	}
	err = syscall.PtraceSetOptions(t.pid, syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE|ptraceExitKill)
	started(t.pid)
	if err != nil {
		return 0, fmt.Errorf("ptrace: %w", err)
	}
	_ = syscall.PtraceSyscall(t.pid, 0)
	return t.follow()
}

// follow takes the process from stop to stop. Calls of ptrace may fail at any
// time, when the process was killed: waiting for it tells.
func (t *tracer) follow() (code int, err error) {
	for {
		var status syscall.WaitStatus
		tid, err := syscall.Wait4(-t.pid, &status, syscall.WALL|waitNotOthers, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("wait for the process: %w", err)
		case tid == t.pid && status.Exited():
			return status.ExitStatus(), nil
		case tid == t.pid && status.Signaled():
			return -1, nil
		case !status.Stopped():
			continue // the end of a thread
		}
		deliver := 0
		switch sig := status.StopSignal(); sig {
		case syscallStop:
			t.stopped(tid)
		case syscall.SIGTRAP, syscall.SIGSTOP, syscall.SIGCONT: // a new thread, or suspended and resumed: see the matrix
		default:
			deliver = int(sig)
		}
		_ = syscall.PtraceSyscall(tid, deliver)
	}
}

// stopped is called at both ends of every system call.
func (t *tracer) stopped(tid int) {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return
	}
	call := t.inside[tid]
	if call == nil {
		t.inside[tid] = t.begin(tid, regs)
		return
	}
	delete(t.inside, tid)
	t.end(tid, call, regs)
}

func (t *tracer) begin(tid int, regs syscall.PtraceRegs) *traced {
	label := t.label(tid, regs)
	if label == "" {
		return &traced{}
	}
	p, o := t.interceptor.Enter(label)
	call := &traced{known: true, passage: p}
	if o.Lost {
		call.refused = syscall.EIO
	}
	if o.Refused != nil {
		call.refused = syscall.Errno(o.Refused.Code)
	}
	if call.refused != 0 {
		regs.Orig_rax = none
		_ = syscall.PtraceSetRegs(tid, &regs)
	}
	return call
}

func (t *tracer) end(tid int, call *traced, regs syscall.PtraceRegs) {
	failed := call.refused
	if call.known && failed == 0 && call.passage.Leave().Lost {
		failed = syscall.EIO
	}
	if failed != 0 {
		regs.Rax = uint64(-int64(failed))
		_ = syscall.PtraceSetRegs(tid, &regs)
	}
}

// label names the system call that a thread is about to make; "" if it is none
// that passes the interceptor. What is read is counted when it is opened.
func (t *tracer) label(tid int, regs syscall.PtraceRegs) string {
	switch regs.Orig_rax {
	case syscall.SYS_OPENAT:
		if regs.Rdx&syscall.O_CREAT != 0 {
			return t.about("create", t.path(tid, regs.Rsi))
		}
		return t.about("open", t.path(tid, regs.Rsi))
	case syscall.SYS_WRITE, syscall.SYS_PWRITE64:
		return t.about("write", t.file(regs.Rdi))
	case syscall.SYS_FTRUNCATE:
		return t.about("truncate", t.file(regs.Rdi))
	case syscall.SYS_FSYNC:
		return t.about("fsync", t.file(regs.Rdi))
	case syscall.SYS_FLOCK:
		if regs.Rsi&syscall.LOCK_UN != 0 {
			return "" // the end of the process does the same
		}
		return t.about("flock", t.file(regs.Rdi))
	case syscall.SYS_MKDIRAT:
		return t.about("mkdir", t.path(tid, regs.Rsi))
	case syscall.SYS_RENAMEAT:
		return t.about("rename to", t.path(tid, regs.R10))
	case syscall.SYS_LINKAT:
		return t.about("link", t.path(tid, regs.R10))
	case syscall.SYS_UNLINKAT:
		return t.about("unlink", t.path(tid, regs.Rsi))
	default:
		return ""
	}
}

// about leaves out what is random in the name of a file.
func (t *tracer) about(verb, path string) string {
	name, below := strings.CutPrefix(path, t.folder+string(filepath.Separator))
	if !below {
		return ""
	}
	return verb + " " + regexp.MustCompile(patternRandom).ReplaceAllString(name, "*")
}

// path reads the name of a file out of the process's memory.
func (t *tracer) path(tid int, at uint64) string {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return ""
	}
	defer func() { _ = memory.Close() }()
	var text [longestPathName]byte
	n, _ := memory.ReadAt(text[:], int64(at)) // less where the memory ends
	name, _, _ := bytes.Cut(text[:n], []byte{0})
	return string(name)
}

// file gives the path of an open file.
func (t *tracer) file(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, int32(fd)))
	return path
}
