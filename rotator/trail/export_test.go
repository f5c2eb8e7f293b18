package trail

import "io"

// Through lets a test stand between a log and its file.
func (l *Log) Through(between func(io.WriterAt) io.WriterAt) { l.between = between }
