package config

import (
	"io"
	"os"
	"path/filepath"
)

// maxFile is the largest file that is read: ten thousands of keys take less, and
// one who names the wrong file learns so at once.
const maxFile = 16 << 20

// Load reads and checks the file at path. The error is [Problems] if the file
// could be read; otherwise it is the cause. Warnings may come with either.
func Load(path string) (*Config, Warnings, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err // it says what was tried on what
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	return Parse(path, data)
}

// Parse checks data as the contents of the file called name, in whose folder
// relative paths begin. The error is [Problems].
func Parse(name string, data []byte) (*Config, Warnings, error) {
	r := &report{file: name}
	cfg := parse(r, filepath.Dir(name), data)
	warnings := Warnings(inFileOrder(r.warnings))
	if err := r.err(); err != nil {
		return nil, warnings, err
	}
	cfg.File = name
	return cfg, warnings, nil
}

// parse takes the steps: text to nodes, nodes to forms, forms to values.
func parse(r *report, folder string, data []byte) *Config {
	root := readYAML(r, data)
	if root == nil {
		return nil
	}
	var form fileForm
	if !newDecoder(r).decodeRoot(root, &form) {
		return nil
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		r.fail(mark{}, "", "find the folder of relative paths: %v", err)
		return nil
	}
	c := &checker{report: r, folder: folder, gaps: map[string]gaps{}}
	return c.file(&form)
}
