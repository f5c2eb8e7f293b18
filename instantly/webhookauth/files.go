package webhookauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Files is the Source of values that are kept in files, one in a line, as "instantly-rotator
// get --all" gives them; or one in a file, as in a mounted Kubernetes Secret. A file that is not there gives none, as that of the previous
// value while there is no previous one.
func Files(paths ...string) Source {
	return func(context.Context) ([]string, error) {
		var values []string
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			values = append(values, strings.Fields(string(b))...)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("%w in %s", ErrNoValues, strings.Join(paths, ", "))
		}
		return values, nil
	}
}
