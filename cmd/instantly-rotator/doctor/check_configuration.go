package doctor

import (
	"fmt"
	"os"
)

// configuration passes on what reading it has found.
func configuration(f Facts) []Finding {
	all := []Finding{}
	for _, w := range f.Warnings {
		at := fmt.Sprintf("%s:%d", w.File, w.Line)
		all = append(all, advice(at, w.Path+": "+w.Message, w.Hint))
	}
	if len(all) == 0 {
		all = append(all, good(f.Config.File, ""))
	}
	return all
}

// secretFile wants that nobody else can put another secret in the place of one. That
// others may read it is a warning of the configuration's.
func secretFile(f Facts) []Finding {
	var all []Finding
	for _, file := range f.Files {
		const othersWrite = 0o022
		switch {
		case file.Found != nil:
			all = append(all, follows(file.Of))
		case file.Mode&othersWrite != 0:
			all = append(all, bad(file.Of, fmt.Sprintf("others may write the file %s (mode %04o)", file.Path, os.FileMode(file.Mode)), "chmod go-w "+file.Path))
		default:
			all = append(all, good(file.Of, ""))
		}
	}
	return all
}
