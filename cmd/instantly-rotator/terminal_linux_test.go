package main_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// runAtTerminal runs a command with its output at a pseudo-terminal and gives
// what a person would see, with \n for the terminal's line ends. Without columns the
// terminal does not say how wide it is.
func runAtTerminal(cmd *exec.Cmd, columns int) (seen string, err error) {
	person, program, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer person.Close()
	defer program.Close()
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		return "", err
	}
	cmd.Stdout, cmd.Stderr = program, program
	read := make(chan string)
	go func() { read <- readTo(person, endOfOutput) }()
	ended := cmd.Run()
	// The test keeps its own hold on the terminal, so that nothing is lost when
	// the command lets go of it, and writes the end itself.
	if _, err := io.WriteString(program, endOfOutput); err != nil {
		return "", err
	}
	return strings.ReplaceAll(<-read, "\r\n", "\n"), ended
}

// endOfOutput is what no command prints.
const endOfOutput = "\x04end of output\x04"

// readTo reads until end comes and gives what came before it.
func readTo(r io.Reader, end string) string {
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		text.Write(buf[:n])
		if before, _, found := strings.Cut(text.String(), end); found || err != nil {
			return before
		}
	}
}

// openTerminal opens both ends of a new pseudo-terminal; see pty(7).
func openTerminal() (person, program *os.File, err error) {
	person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	var n, locked int32
	if err = ioctl(person, syscall.TIOCGPTN, &n); err == nil {
		err = ioctl(person, syscall.TIOCSPTLCK, &locked)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		person.Close()
	}
	return person, program, err
}

func ioctl(f *os.File, request uintptr, value *int32) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(value)))
	if errno != 0 {
		return errno
	}
	return nil
}
