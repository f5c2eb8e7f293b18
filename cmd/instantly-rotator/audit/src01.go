package audit

import (
	"fmt"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/scan"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func src01() Check {
	return Check{
		ID: "SRC-01", Title: "No managed value is in a file, or in what git has",
		Why:   "Source is copied, mailed and published: a key in it is in wrong hands.",
		judge: inSource,
		unless: func(f *Facts) string {
			if f.Scan == nil {
				return "--scan DIR, and --git for its history"
			}
			return ""
		},
	}
}

// inSource tells of each place with a value, of files that git would take up, and of what
// could not be searched.
func inSource(f *Facts) []Finding {
	var all []Finding
	told := map[string]bool{} // one value may be in several stores
	for _, h := range f.Scan.Hits {
		one := f.foundAt(h)
		if key := one.Key() + one.Text; !told[key] {
			all = append(all, one)
			told[key] = true
		}
	}
	for _, e := range f.Scan.Exposed {
		text, todo := "it looks like a file with secrets, and git does not ignore it", "echo '"+e.Path+"' >> .gitignore"
		if e.Tracked {
			text, todo = "it looks like a file with secrets, and it is in the repository", "git rm --cached '"+e.Path+"', and "+todo
		}
		all = append(all, Finding{Severity: Medium, Subject: "file " + e.Path, File: e.Path, Text: text, Remedy: todo})
	}
	for _, u := range f.Scan.Unread {
		all = append(all, Finding{Severity: NotKnown, Subject: "file " + u.What, Text: "it could not be searched: " + u.Err.Error()})
	}
	for _, u := range f.Unread {
		all = append(all, Finding{Severity: NotKnown, Workspace: u.Workspace, Subject: u.Of, Text: "its value could not be read, nor searched for", Follows: "KEY-03"})
	}
	for _, i := range f.Set.Short() {
		all = append(all, Finding{Severity: NotKnown, Workspace: f.Values[i].Workspace, Subject: f.Values[i].Of, Text: "its value is too short to be searched for"})
	}
	return all
}

// foundAt is the finding for one place.
func (f *Facts) foundAt(h scan.Hit) Finding {
	v := f.Values[h.Secret]
	place := "file " + h.Path
	switch {
	case h.Object != "" && h.Path != "":
		place = fmt.Sprintf("file %s in commit %.12s", h.Path, h.Commit)
	case h.Object != "":
		place = fmt.Sprintf("git object %.12s", h.Object)
	}
	what := v.Of
	if v.Target != "" {
		what = fmt.Sprintf("the %s key of target %s", v.Stage, v.Target)
	}
	if h.Encoded {
		what += ", in base64"
	}
	one := Finding{Severity: High, Workspace: v.Workspace, Subject: place, ID: v.KeyID, File: h.Path, Line: h.Line, Text: fmt.Sprintf("line %d has %s", h.Line, what)}
	one.Remedy = compromised(v, f.Now)
	if h.Object != "" {
		one.Remedy += "; rewriting the history alone does not help"
	}
	return one
}

// compromised is what replaces a value that is in wrong hands. The current key's rotation
// takes the previous one along.
func compromised(v Stored, now time.Time) string {
	if v.Target == "" {
		return "make another admin key in Instantly, put it where admin_key points to, and delete this one there"
	}
	text := remedy.Program + " rotate --compromised " + v.Target + " --incident leaked-" + now.UTC().Format(time.DateOnly)
	if v.Stage != secretstore.Current {
		text += " revokes it, and replaces the current key"
	}
	return text
}
