package trail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"slices"
)

// A section is what a process wrote of a log in one go: a head, and the lines after it.
type section struct {
	from int64 // entries before it
	// kept is how many of its lines are part of the log for sure: a checkpoint stands behind
	// them, or the head of another section goes on from there. end is the size of the log then.
	kept  int
	end   int64
	lines [][]byte
}

// collected gives the lines of a file in the order of the log, and how many entries of the
// file are not part of it: those that a process wrote and could not have kept. Other lines,
// such as those of a program's log, are left out. cut is the last one, if it has no end.
func collected(path string) (lines [][]byte, loose int64, cut []byte, err error) {
	var all [][]byte
	if err := linesOf(path, func(line []byte, isCut bool) error {
		switch {
		case isCut:
			cut = bytes.Clone(line)
		case isLine(line):
			all = append(all, bytes.Clone(line))
		}
		return nil
	}); err != nil {
		return nil, 0, nil, err
	}
	lines, loose = assemble(sections(all))
	return lines, loose, cut, nil
}

func isLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte(entryPrefix)) || bytes.HasPrefix(line, []byte(headPrefix)) || bytes.HasPrefix(line, []byte(checkpointPrefix))
}

// isFolder tells whether a log is a folder's.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// sections divides lines.
func sections(lines [][]byte) []section {
	all, went := []section{{from: -1}}, map[string]bool{} // by the hash of the last entry before a head
	for _, line := range lines {
		if bytes.HasPrefix(line, []byte(headPrefix)) {
			var h head
			_ = json.Unmarshal(line, &h) // who verifies says what is wrong with it
			went[h.Head.Prev] = true
			all = append(all, section{from: h.Head.Size, end: h.Head.Size})
		}
		now := &all[len(all)-1]
		now.lines = append(now.lines, line)
	}
	for i := range all {
		all[i].measure(went)
	}
	return slices.DeleteFunc(all, func(s section) bool { return len(s.lines) == 0 })
}

// measure finds what is kept of a section.
func (s *section) measure(went map[string]bool) {
	size := max(s.from, 0)
	for i, line := range s.lines {
		isEntry := bytes.HasPrefix(line, []byte(entryPrefix))
		if isEntry {
			size++
		}
		if bytes.HasPrefix(line, []byte(checkpointPrefix)) || isEntry && went[prevOf(recordHash(line))] {
			s.kept, s.end = i+1, size
		}
	}
}

// assemble puts sections in their order, without what is not part of the log: what nothing
// says of whether it is, counts as the end of the last.
func assemble(all []section) (lines [][]byte, loose int64) {
	if len(all) == 0 {
		return nil, 0
	}
	last := 0
	for i, s := range all {
		if s.end >= all[last].end {
			last = i
		}
	}
	all[last].kept = len(all[last].lines)
	slices.SortStableFunc(all, func(a, b section) int { return cmp.Compare(a.from, b.from) })
	for _, s := range all {
		lines = append(lines, s.lines[:s.kept]...)
		for _, line := range s.lines[s.kept:] {
			if bytes.HasPrefix(line, []byte(entryPrefix)) {
				loose++
			}
		}
	}
	return lines, loose
}
