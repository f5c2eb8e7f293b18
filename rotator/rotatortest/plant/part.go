package main

import (
	"errors"
	"fmt"
)

// part is a share of the bugs, so that several runs plant them all: every
// outOf-th, beginning with the nth.
type part struct{ nth, outOf int }

// String and Set implement [flag.Value]: N/OF.
func (p *part) String() string { return fmt.Sprintf("%d/%d", p.nth, p.outOf) }

func (p *part) Set(text string) error {
	var set part
	if _, err := fmt.Sscanf(text, "%d/%d", &set.nth, &set.outOf); err != nil || set.nth < 1 || set.nth > set.outOf {
		return errors.New("want N/OF with N from 1 to OF, such as 2/3")
	}
	*p = set
	return nil
}

// share gives the part's share of the bugs.
func (p *part) share(all []bug) []bug {
	var mine []bug
	for i := p.nth - 1; i < len(all); i += p.outOf {
		mine = append(mine, all[i])
	}
	return mine
}
