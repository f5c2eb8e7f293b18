package page

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/audit"
)

// download gives what an auditor takes along: keys.json, keys.csv, findings.json and
// findings.csv.
func (s *Site) download(w http.ResponseWriter, r *http.Request) {
	var body []byte
	kind := "application/json"
	name, last := r.PathValue("file"), s.Audit() // another instance may take over meanwhile
	switch what, ext, _ := strings.Cut(name, "."); {
	case what != "keys" && what != "findings", ext != "json" && ext != "csv":
		s.fail(w, r, http.StatusNotFound, "There is no such file.")
		return
	case what == "findings" && last == nil:
		s.fail(w, r, http.StatusNotFound, "No audit was made yet.")
		return
	case name == "keys.json":
		o := s.overview()
		body = asJSON(map[string]any{"at": o.at.UTC(), "keys": o.keptKeys()})
	case name == "findings.json":
		body = asJSON(last)
	case name == "keys.csv":
		kind, body = "text/csv; charset=utf-8", asCSV(keyLines(s.overview().keptKeys()))
	default:
		kind, body = "text/csv; charset=utf-8", asCSV(findingLines(last))
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	reply(w, r, http.StatusOK, body)
}

func asJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return []byte("{}") // these types can be encoded
	}
	return b.Bytes()
}

// asCSV writes lines. Cells that a spreadsheet would take for a formula are quoted with an
// apostrophe.
func asCSV(lines [][]string) []byte {
	var b bytes.Buffer
	for _, line := range lines {
		for i, cell := range line {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				line[i] = "'" + cell
			}
		}
	}
	w := csv.NewWriter(&b)
	_ = w.WriteAll(lines) // a buffer takes all
	return b.Bytes()
}

func keyLines(keys []keptKey) [][]string {
	lines := [][]string{{
		"target", "workspace", "key_id", "state", "scopes", "risk", "reason", "current_since", "age_seconds", "max_age_seconds",
		"older_than_max_age", "next_rotation", "schedule", "grace_seconds", "places", "known_at", "not_moved",
	}}
	for _, k := range keys {
		lines = append(lines, []string{
			k.Target, k.Workspace, k.KeyID, k.State, strings.Join(k.Scopes, " "), k.Risk, k.Reason, exactly(k.Since), seconds(k.AgeSeconds), seconds(k.MaxAgeSeconds),
			strconv.FormatBool(k.TooOld), exactly(k.NextRotation), k.Schedule, seconds(k.GraceSeconds), strings.Join(k.Places, "; "), exactly(k.KnownAt), strings.Join(k.NotMoved, "; "),
		})
	}
	return lines
}

func findingLines(r *audit.Report) [][]string {
	lines := [][]string{{"at", "check", "severity", "workspace", "subject", "id", "text", "remedy", "accepted_until", "accepted_because"}}
	for _, f := range r.Findings {
		line := []string{exactly(&r.At), f.Check, string(f.Severity), f.Workspace, f.Subject, f.ID, f.Text, f.Remedy, "", ""}
		if f.Accepted != nil {
			line[8], line[9] = exactly(&f.Accepted.Until), f.Accepted.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func exactly(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func seconds(n int64) string { return strconv.FormatInt(n, 10) }
