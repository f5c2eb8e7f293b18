package trail

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the size and the root of a log at one moment, signed. Text is the note, in
// the form that others keep.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	Text string
}

// errNotSigned: a checkpoint that is not the log's own.
var errNotSigned = errors.New("is not signed with the trail's key")

// ParseCheckpoint reads a signed checkpoint, and checks its signature.
func ParseCheckpoint(text string, by note.Verifier) (Checkpoint, error) {
	n, err := note.Open([]byte(text), note.VerifierList(by))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint %w: %w", errNotSigned, err)
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return Checkpoint{}, fmt.Errorf("the checkpoint has %d signatures instead of one", len(n.Sigs)+len(n.UnverifiedSigs))
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint %w", errNotSigned)
	}
	t, err := tlog.ParseTree([]byte(n.Text))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint: %w", err)
	}
	return Checkpoint{t.N, t.Hash, text}, nil
}

// sign makes the checkpoint of a tree.
func sign(t *tree, by note.Signer) (Checkpoint, error) {
	root, err := t.root()
	if err != nil {
		return Checkpoint{}, err
	}
	signed, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: t.size, Hash: root}))}, by)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return Checkpoint{t.size, root, string(signed)}, nil
}

// A head is the first line of a file: what the tree needs in order to grow from there.
type head struct {
	Head struct {
		Size   int64    `json:"size"`
		Prev   string   `json:"prev"`
		Hashes []string `json:"hashes"`
		// Key is what the checkpoints are checked with, unless it is known from elsewhere.
		Key string `json:"key"`
	} `json:"head"`
	Checkpoint string `json:"checkpoint"`
}

// headLine renders the head of a file that begins at this size.
func headLine(t *tree, cp Checkpoint, key string) ([]byte, error) {
	var h head
	h.Head.Size, h.Head.Prev, h.Head.Key, h.Head.Hashes = t.size, t.prev(), key, []string{}
	for level := range mostLevels {
		if t.size>>level&1 == 1 {
			h.Head.Hashes = append(h.Head.Hashes, t.right[level].String())
		}
	}
	h.Checkpoint = cp.Text
	return json.Marshal(h)
}

// treeOf gives the tree that a head tells of, which its checkpoint must confirm.
func treeOf(line []byte, by note.Verifier) (tree, error) {
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return tree{}, fmt.Errorf("read the head of a file: %w", err)
	}
	t := tree{size: h.Head.Size}
	hashes := h.Head.Hashes
	for level := range mostLevels {
		if t.size>>level&1 == 0 {
			continue
		}
		if len(hashes) == 0 {
			return tree{}, errors.New("the head of a file has too few hashes")
		}
		sum, err := tlog.ParseHash(hashes[0])
		if err != nil {
			return tree{}, fmt.Errorf("the head of a file: %w", err)
		}
		t.right[level], hashes = sum, hashes[1:]
	}
	if t.size > 0 {
		last, err := tlog.ParseHash(h.Head.Prev)
		if err != nil {
			return tree{}, fmt.Errorf("the head of a file: %w", err)
		}
		t.last, t.filled = last, true
	}
	cp, err := ParseCheckpoint(h.Checkpoint, by)
	if err != nil {
		return tree{}, err
	}
	if root, err := t.root(); err != nil || cp.Size != t.size || cp.Root != root {
		return tree{}, errors.New("the head of a file is not what its checkpoint says")
	}
	if again, err := headLine(&t, cp, h.Head.Key); err != nil || string(again) != string(line) {
		return tree{}, errors.New("the head of a file is not as it was written")
	}
	return t, nil
}

// checkpointLine renders a checkpoint as a line of the log.
func checkpointLine(cp Checkpoint) ([]byte, error) {
	return json.Marshal(map[string]string{"checkpoint": cp.Text})
}

// checkpointOf reads such a line.
func checkpointOf(line []byte, by note.Verifier) (Checkpoint, error) {
	var in struct {
		Checkpoint string `json:"checkpoint"`
	}
	if err := json.Unmarshal(line, &in); err != nil {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %w", err)
	}
	cp, err := ParseCheckpoint(in.Checkpoint, by)
	if err != nil {
		return Checkpoint{}, err
	}
	if again, err := checkpointLine(cp); err != nil || string(again) != string(line) {
		return Checkpoint{}, errors.New("a checkpoint is not as it was written")
	}
	return cp, nil
}

// keyName makes a name that a key may have.
func keyName(name string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '+' || r > '~' {
			return '-'
		}
		return r
	}, "instantly-rotator-trail/"+name)
}
