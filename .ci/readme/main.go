// Command readme runs the README's own command blocks as a new user would: every
// block marked sh, in order, in one shell, in a clean copy of the tree. The
// copy is removed and everything the blocks started is ended.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "readme:", err)
		os.Exit(1)
	}
}

func run() error {
	script, blocks, err := extract("README.md")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "readme-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tree := filepath.Join(dir, "instantly-rotator")
	if out, err := exec.Command("git", "clone", "--quiet", ".", tree).CombinedOutput(); err != nil {
		return fmt.Errorf("clone: %w: %s", err, out)
	}
	shell := exec.Command("bash", "-euo", "pipefail", "-c", script)
	shell.Dir, shell.Stdout, shell.Stderr = tree, os.Stdout, os.Stderr
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shell.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(10*time.Minute, func() { end(shell) })
	err = shell.Wait()
	timer.Stop()
	end(shell)
	if err != nil {
		return err
	}
	fmt.Printf("%d command blocks of the README work\n", blocks)
	return nil
}

// end kills what the blocks started and left running.
func end(shell *exec.Cmd) { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }

// extract joins the blocks into one script that says where it is.
func extract(path string) (script string, blocks int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }()
	var b strings.Builder
	inside := false
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case !inside && line == "```sh":
			inside = true
			blocks++
			fmt.Fprintf(&b, "echo '## README.md:%d'\n", n)
		case inside && line == "```":
			inside = false
		case inside:
			b.WriteString(line + "\n")
		}
	}
	if blocks == 0 {
		return "", 0, fmt.Errorf("%s has no block marked sh", path)
	}
	return b.String(), blocks, lines.Err()
}
