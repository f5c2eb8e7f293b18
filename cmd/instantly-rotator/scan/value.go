package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// Set is the secrets that are searched for. It is not changed once it is made.
type Set struct {
	// same has the indexes of the secrets of one value.
	same map[string][]int
	// needles are the forms in which they are searched for.
	needles map[string]needle
	// lengths that the needles have which begin with the same eight bytes.
	lengths map[uint64][]int
	// may tells, by a hash of eight bytes, whether any needle may begin so.
	may     [1 << filterBits]bool
	longest int
	short   []int
}

type needle struct {
	of      []int
	encoded bool
}

const (
	// head is how many bytes of a needle are looked at first. What is shorter is found
	// everywhere.
	head       = 8
	filterBits = 16
)

// NewSet takes secrets in their order. One that is empty is left out.
func NewSet(values []secret.Value) *Set {
	s := &Set{same: map[string][]int{}, needles: map[string]needle{}, lengths: map[uint64][]int{}}
	for i, v := range values {
		if !v.IsZero() {
			s.same[v.Reveal()] = append(s.same[v.Reveal()], i)
		}
	}
	for value, of := range s.same {
		if len(value) < head {
			s.short = append(s.short, of...)
			continue
		}
		s.add(value, needle{of: of})
		// As manifests of Kubernetes Secrets have it: of the end only what does not hang
		// on what comes after it.
		if sure := value[:len(value)-len(value)%3]; len(sure) >= head {
			s.add(base64.StdEncoding.EncodeToString([]byte(sure)), needle{of: of, encoded: true})
		}
	}
	slices.Sort(s.short)
	return s
}

func (s *Set) add(text string, n needle) {
	if _, known := s.needles[text]; known {
		return
	}
	s.needles[text] = n
	begin := binary.LittleEndian.Uint64([]byte(text))
	s.may[hash(begin)] = true
	if !slices.Contains(s.lengths[begin], len(text)) {
		s.lengths[begin] = append(s.lengths[begin], len(text))
	}
	s.longest = max(s.longest, len(text))
}

func hash(begin uint64) uint64 {
	const fibonacci = 0x9E3779B97F4A7C15
	return begin * fibonacci >> (64 - filterBits)
}

// Same gives the indexes of secrets that have one value, where several do.
func (s *Set) Same() [][]int {
	var all [][]int
	for _, of := range s.same {
		if len(of) > 1 {
			all = append(all, of)
		}
	}
	slices.SortFunc(all, func(x, y []int) int { return x[0] - y[0] })
	return all
}

// Len counts the different values.
func (s *Set) Len() int { return len(s.same) }

// Short gives the secrets that are too short to be searched for.
func (s *Set) Short() []int { return s.short }

// chunk is how much is read at once.
const chunk = 1 << 20

// A searcher searches streams one after another with one buffer.
type searcher struct {
	set *Set
	buf []byte
}

func (s *Set) searcher() *searcher { return &searcher{s, make([]byte, 0, chunk+s.longest)} }

// in tells of each needle in a stream, with the line that it begins in. It gives how much
// was read.
func (r *searcher) in(ctx context.Context, from io.Reader, found func(n needle, line int)) (read int64, err error) {
	buf, line := r.buf[:0], 1
	for {
		if err := ctx.Err(); err != nil {
			return read, err
		}
		n, over, err := fill(from, buf[len(buf):len(buf)+chunk])
		buf = buf[:len(buf)+n]
		read += int64(n)
		if err != nil {
			return read, err
		}
		// What begins in the last bytes may end in the next chunk.
		ends := len(buf)
		if !over {
			ends = max(0, len(buf)-r.set.longest)
		}
		line = r.set.within(buf, ends, line, found)
		if over {
			return read, nil
		}
		buf = buf[:copy(buf[:cap(buf)], buf[ends:])]
	}
}

// fill reads a chunk; over tells that nothing comes after it.
func fill(from io.Reader, into []byte) (n int, over bool, err error) {
	n, err = io.ReadFull(from, into)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, true, nil
	}
	return n, false, err
}

// within tells of the needles that begin in buf before ends, whose first byte is in that
// line. It gives the line at ends.
func (s *Set) within(buf []byte, ends, line int, found func(n needle, line int)) int {
	counted := 0
	for i := 0; i < ends && i+head <= len(buf); i++ {
		begin := binary.LittleEndian.Uint64(buf[i:])
		if !s.may[hash(begin)] {
			continue
		}
		for _, length := range s.lengths[begin] {
			if i+length > len(buf) {
				continue
			}
			if n, ok := s.needles[string(buf[i:i+length])]; ok {
				line += bytes.Count(buf[counted:i], []byte{'\n'})
				counted = i
				found(n, line)
			}
		}
	}
	return line + bytes.Count(buf[counted:ends], []byte{'\n'})
}
