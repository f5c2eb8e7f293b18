package trail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const packedSuffix = ".jsonl.gz"

// files lists the files of a folder's log, the oldest first.
func files(dir string) ([]string, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	packed, err := filepath.Glob(filepath.Join(dir, "*"+packedSuffix))
	if err != nil {
		return nil, err
	}
	slices.Sort(packed)
	current := filepath.Join(dir, currentFile)
	first, err := firstIn(current)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return packed, nil
	case err == nil: // of one that a crash left beside the file that it was made of
		packed = slices.DeleteFunc(packed, func(path string) bool {
			return filepath.Base(path) >= fmt.Sprintf("%012d"+packedSuffix, first)
		})
	} // else whoever reads it says what is wrong with it
	return append(packed, current), nil
}

// firstIn gives the first entry of a file, as its head says.
func firstIn(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	line, err := bufio.NewReader(f).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	var h head
	return h.Head.Size, json.Unmarshal(line, &h)
}

// Lines gives every line of a folder's log, or of one file of lines, without its end; cut
// tells that the last one has none.
func Lines(path string, each func(line []byte, cut bool) error) error {
	paths := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if paths, err = files(path); err != nil {
			return err
		}
	}
	for _, p := range paths {
		if err := linesOf(p, each); err != nil {
			return err
		}
	}
	return nil
}

func linesOf(path string, each func(line []byte, cut bool) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the trail: %w", err)
	}
	defer func() { _ = f.Close() }()
	var from io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
		}
		from = z
	}
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		switch {
		case err == nil:
			if err := each(line[:len(line)-1], false); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			if len(line) > 0 {
				return each(line, true)
			}
			return nil
		default:
			return fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
		}
	}
}

// Entries gives the entries of a log, in their order. Whether they are as they were
// written, [Verify] tells.
func Entries(path string, each func(Entry) error) error {
	eachLine := func(line []byte, cut bool) error {
		if _, ok := linkOf(line); !ok || cut {
			return nil
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
		}
		return each(e)
	}
	if isFolder(path) {
		return Lines(path, eachLine)
	}
	lines, _, _, err := collected(path)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if err := eachLine(line, false); err != nil {
			return err
		}
	}
	return nil
}

// LastEvent gives the newest event with that verb in a folder's log, as far back as the file
// that is written and the one before go: what is older is nothing to be told at a glance. The
// zero entry: there is none. Whether it is as it was written, [Verify] tells.
func LastEvent(dir, verb string) (last Entry, err error) {
	paths, err := files(dir)
	if err != nil {
		return last, err
	}
	mark := []byte(`"verb":"` + verb + `"`)
	for _, path := range slices.Backward(paths[max(0, len(paths)-2):]) {
		var line []byte
		if err := linesOf(path, func(l []byte, cut bool) error {
			if !cut && bytes.Contains(l, mark) {
				line = bytes.Clone(l)
			}
			return nil
		}); err != nil {
			return last, err
		}
		if line == nil {
			continue
		}
		if err := json.Unmarshal(line, &last); err != nil {
			return last, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
		}
		return last, nil
	}
	return last, nil
}

// LastCheckpoint gives the newest checkpoint of a log: what is to be kept elsewhere.
func LastCheckpoint(path, key string) (Checkpoint, error) {
	by, err := note.NewVerifier(key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the trail's public key: %w", err)
	}
	var last []byte
	if err := Lines(path, func(line []byte, cut bool) error {
		if bytes.HasPrefix(line, []byte(checkpointPrefix)) && !cut {
			last = bytes.Clone(line)
		}
		return nil
	}); err != nil {
		return Checkpoint{}, err
	}
	if last == nil {
		return Checkpoint{}, fmt.Errorf("%s: there is no checkpoint yet", path)
	}
	return checkpointOf(last, by)
}

// Logs lists the folders of logs in a folder: of each machine one, or the folder itself.
func Logs(dir string) ([]string, error) {
	inside, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the trail: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, publicFile)); err == nil {
		return []string{dir}, nil
	}
	var logs []string
	for _, e := range inside {
		path := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(path, publicFile)); err == nil {
			logs = append(logs, path)
		}
	}
	return logs, nil
}

// ReadKey gives a public key from a file, or as it is typed.
func ReadKey(text string) (string, error) {
	if data, err := os.ReadFile(text); err == nil {
		text = string(data)
	}
	text = strings.TrimSpace(text)
	if _, err := note.NewVerifier(text); err != nil {
		return "", fmt.Errorf("%q is neither a file nor a public key of a trail: %w", text, err)
	}
	return text, nil
}

// ReadCheckpoint gives the checkpoint that was kept in a file.
func ReadCheckpoint(path, key string) (Checkpoint, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint: %w", err)
	}
	by, err := note.NewVerifier(key)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the trail's public key: %w", err)
	}
	return ParseCheckpoint(string(text), by)
}
