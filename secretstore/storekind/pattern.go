package storekind

import (
	"regexp"
	"sync"
)

// patterns are the compiled forms of the program's own regular expressions: a cache
// and no state. Compiled for each of 10,000 keys they took a second.
var patterns sync.Map

// Pattern gives the compiled form of one of the program's own regular expressions.
func Pattern(expr string) *regexp.Regexp {
	if compiled, ok := patterns.Load(expr); ok {
		return compiled.(*regexp.Regexp) // nothing else is stored
	}
	compiled := regexp.MustCompile(expr)
	patterns.Store(expr, compiled)
	return compiled
}
