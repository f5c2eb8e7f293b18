package setup

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// Person is somebody at a terminal, asked in plain lines.
type Person struct {
	lines *bufio.Reader
	out   io.Writer
}

// At gives the person who types on one side and reads on the other.
func At(in io.Reader, out io.Writer) *Person { return &Person{bufio.NewReader(in), out} }

// tell shows a text. Nobody is told if there is nobody.
func (p *Person) tell(text string) {
	if p != nil {
		fmt.Fprint(p.out, text)
	}
}

// ask asks until there is an answer. Enter alone takes what is proposed, if anything is.
func (p *Person) ask(ctx context.Context, text, proposed string) (string, error) {
	for {
		p.tell(text)
		if proposed != "" {
			p.tell(" [" + comment(proposed) + "]")
		}
		p.tell(": ")
		line, err := p.line(ctx)
		if err != nil {
			p.tell("\n")
			return "", err
		}
		if line = strings.TrimSpace(line); line == "" {
			line = proposed
		}
		if line != "" {
			return line, nil
		}
	}
}

// line reads one, or ends with the context.
func (p *Person) line(ctx context.Context) (string, error) {
	type reading struct {
		line string
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		line, err := p.lines.ReadString('\n')
		read <- reading{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-read:
		if r.err != nil {
			return "", ErrEnded
		}
		return r.line, nil
	}
}
