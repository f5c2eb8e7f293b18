package main

import (
	"bufio"
	"context"
	"os"
	"strings"
)

// typedYes waits for a line at the terminal after a question, and tells whether it is yes.
func typedYes(ctx context.Context) (bool, error) {
	typed := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n') // what cannot be read is no yes
		typed <- line
	}()
	select {
	case <-ctx.Done():
		return false, errInterrupted
	case line := <-typed:
		return strings.TrimSpace(line) == "yes", nil
	}
}
