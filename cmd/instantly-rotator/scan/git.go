package scan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNoRepository: the folder is in no git repository.
var ErrNoRepository = errors.New("not in a git repository")

// git makes a command that changes nothing and runs nothing that a repository names.
func (s *search) git(ctx context.Context, args ...string) *exec.Cmd {
	all := append([]string{"-C", s.Dir, "-c", "core.fsmonitor=false", "--no-pager"}, args...)
	c := exec.CommandContext(ctx, "git", all...) //nolint:gosec // the arguments are ours, and the folder that a person named
	c.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C")
	return c
}

// output runs git, and gives the last line of its complaint.
func (s *search) output(ctx context.Context, args ...string) (string, error) {
	var complaint bytes.Buffer
	c := s.git(ctx, args...)
	c.Stderr = &complaint
	out, err := c.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return string(out), complained(err, &complaint)
}

func complained(err error, complaint *bytes.Buffer) error {
	lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
	switch last := lines[len(lines)-1]; {
	case err == nil:
		return nil
	case strings.Contains(last, "not a git repository"):
		return ErrNoRepository
	case last != "":
		return fmt.Errorf("git: %s: %w", last, err)
	default:
		return fmt.Errorf("git: %w", err)
	}
}

// exposed finds the files that look like those with secrets, and that git does not ignore.
func (s *search) exposed(ctx context.Context) error {
	if _, err := s.output(ctx, "rev-parse", "--git-dir"); err != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case s.Git: // history says why
		case errors.Is(err, ErrNoRepository): // nothing is taken up by any
		case errors.Is(err, exec.ErrNotFound) && !s.hasRepository():
		default:
			s.unread("what git ignores", err)
		}
		return nil
	}
	patterns := []string{":(glob)**/.env", ":(glob)**/.env.*", ":(glob)**/*.key"}
	for _, tracked := range []bool{true, false} {
		args := []string{"ls-files", "-z", "--others", "--exclude-standard", "--"}
		if tracked {
			args = []string{"ls-files", "-z", "--cached", "--"}
		}
		out, err := s.output(ctx, append(args, patterns...)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.unread("what git ignores", err)
			continue
		}
		for path := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
			if path != "" && !isExample(path) {
				s.result.Exposed = append(s.result.Exposed, Exposed{path, tracked})
			}
		}
	}
	return nil
}

// hasRepository tells without git whether there is one.
func (s *search) hasRepository() bool {
	_, err := os.Stat(filepath.Join(s.Dir, ".git"))
	return err == nil
}

// isExample tells of files that are made to be shared.
func isExample(path string) bool {
	return slices.Contains([]string{".example", ".sample", ".template", ".dist"}, filepath.Ext(path))
}

// history searches all objects that the repository has, those included that no branch
// leads to any more.
func (s *search) history(ctx context.Context) error {
	var complaint bytes.Buffer
	c := s.git(ctx, "cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch")
	c.Stderr = &complaint
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		s.unread("the history", complained(err, &complaint))
		return nil
	}
	hits, err := s.objects(ctx, bufio.NewReaderSize(out, chunk))
	if err != nil {
		_ = c.Process.Kill() // it would wait for somebody to read on
	}
	if ended := c.Wait(); err == nil || complaint.Len() > 0 {
		err = complained(ended, &complaint)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.unread("the history", err)
	}
	for _, h := range hits {
		s.result.Hits = append(s.result.Hits, s.placed(ctx, h))
	}
	return ctx.Err()
}

// objects searches what "cat-file --batch" prints: a line "ID TYPE SIZE", the content, and
// a line end, for each.
func (s *search) objects(ctx context.Context, out *bufio.Reader) (hits []Hit, err error) {
	in := s.set.searcher()
	for {
		header, err := out.ReadString('\n')
		if errors.Is(err, io.EOF) && header == "" {
			return hits, nil
		}
		var id, kind string
		var size int64
		if err == nil {
			id, kind, size, err = objectHeader(header)
		}
		if err != nil {
			return hits, err
		}
		content := io.LimitReader(out, size)
		if kind != "tree" { // it has names and ids
			once := map[int]bool{}
			_, err = in.in(ctx, content, func(n needle, line int) {
				for _, i := range n.of {
					if !once[i] {
						hits = append(hits, Hit{Secret: i, Object: id, Line: line, Encoded: n.encoded})
					}
					once[i] = true
				}
			})
			s.Progress.Objects.Add(1)
			s.Progress.Bytes.Add(size)
		}
		if err == nil {
			_, err = io.Copy(io.Discard, content)
		}
		if err == nil {
			_, err = out.Discard(1)
		}
		if err != nil {
			return hits, err
		}
	}
}

func objectHeader(line string) (id, kind string, size int64, err error) {
	fields := strings.Fields(line)
	const parts = 3
	if len(fields) != parts {
		return "", "", 0, fmt.Errorf("git cat-file says %d words about an object", len(fields))
	}
	size, err = strconv.ParseInt(fields[2], 10, 64)
	return fields[0], fields[1], size, err
}

// placed finds which commit brought an object, and under which path. For one that no
// branch leads to, or a commit itself, nothing is known but its id.
func (s *search) placed(ctx context.Context, h Hit) Hit {
	out, err := s.output(ctx, "log", "--all", "-m", "--reverse", "--no-renames", "--no-ext-diff", "--no-textconv",
		"--format=commit %H", "--raw", "--no-abbrev", "-z", "--find-object="+h.Object)
	if err != nil {
		return h
	}
	h.Commit, h.Path = broughtBy(out, h.Object)
	return h
}

// broughtBy reads the first commit that git log tells, and the path after which the object
// is named as the new one: ":MODE MODE OLD NEW STATUS" and the path, each ended by a zero.
func broughtBy(log, object string) (commit, path string) {
	parts := strings.Split(log, "\x00")
	for i, part := range parts {
		part = strings.TrimLeft(part, "\n")
		if id, ok := strings.CutPrefix(part, "commit "); ok {
			commit, _, _ = strings.Cut(id, "\n")
			if _, raw, ok := strings.Cut(id, "\n"); ok {
				part = strings.TrimLeft(raw, "\n")
			}
		}
		if fields := strings.Fields(part); strings.HasPrefix(part, ":") && len(fields) > 3 && fields[3] == object && i+1 < len(parts) {
			return commit, parts[i+1]
		}
	}
	return "", ""
}
