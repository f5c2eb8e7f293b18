// Package scan searches files, and the history of git repositories, for secrets: exactly,
// whichever of many, as fast as a disk reads. It tells where one is, and never which
// bytes they were.
//
// In this package: value.go (the secrets, and the search in a stream), files.go (a
// folder), git.go (what a repository has ever held, and what it would take up).
package scan

import (
	"context"
	"sync/atomic"
)

// Options say what is searched.
type Options struct {
	// Dir is the folder.
	Dir string
	// Git: also what the repository at Dir has ever held.
	Git bool
	// Skip are files in which a secret is where it belongs, by absolute path.
	Skip []string
	// Progress, if not nil, is kept up to date meanwhile.
	Progress *Progress
}

// Progress is how far a search has come.
type Progress struct {
	Files, Objects, Bytes atomic.Int64
}

// Result is what a search came to.
type Result struct {
	Dir string
	// Hits are in the order in which they were found, each place once for each secret.
	Hits []Hit
	// Exposed are the files that look like those with secrets, and that the repository
	// has or would take up: none if Dir is in none.
	Exposed []Exposed
	// Unread is what could not be searched, and why.
	Unread []Unread
	// Files, Objects of git, and Bytes that were searched.
	Files, Objects, Bytes int64
}

// Hit is one place with a secret.
type Hit struct {
	// Secret is its index in the set.
	Secret int
	// Path of the file, from Dir where it is below it; empty for an object of git of
	// which no commit tells the path.
	Path string
	Line int
	// Object is git's id of what holds it, and Commit the one that brought it; empty for
	// a file.
	Object, Commit string
	// Encoded: it is there in base64.
	Encoded bool
}

// Exposed is a file that git does not ignore.
type Exposed struct {
	Path string
	// Tracked: it is in the repository already.
	Tracked bool
}

// Unread is what could not be searched.
type Unread struct {
	What string
	Err  error
}

// Search searches until it is done, or ctx ends: that is an error.
func Search(ctx context.Context, set *Set, o Options) (Result, error) {
	r := Result{Dir: o.Dir}
	if o.Progress == nil {
		o.Progress = &Progress{}
	}
	s := &search{Options: o, set: set, result: &r}
	err := s.files(ctx)
	if err == nil {
		err = s.exposed(ctx)
	}
	if err == nil && o.Git {
		err = s.history(ctx)
	}
	r.Files, r.Objects, r.Bytes = o.Progress.Files.Load(), o.Progress.Objects.Load(), o.Progress.Bytes.Load()
	return r, err
}

// search is one under way.
type search struct {
	Options
	set    *Set
	result *Result
}

func (s *search) unread(what string, err error) {
	s.result.Unread = append(s.result.Unread, Unread{what, err})
}
