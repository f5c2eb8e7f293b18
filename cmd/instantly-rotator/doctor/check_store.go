package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/remedy"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func isLate(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotAnswered)
}

// ofEachSecret judges every secret, and knows of one that was not reached only that.
func ofEachSecret(f Facts, judge func(s Secret) []Finding) []Finding {
	var all []Finding
	for _, s := range f.Secrets {
		if s.Described != nil {
			all = append(all, follows(s.about()))
			continue
		}
		all = append(all, judge(s)...)
	}
	return all
}

func storeReached(f Facts) []Finding {
	var all []Finding
	for _, s := range f.Secrets {
		one := judged(s.about(), s.For, s.Described)
		if s.Role == AdminKey && one.Level == Bad {
			one = follows(s.about()) // the workspace's check says it
		}
		if one.Level == Bad && errors.Is(s.Described, syscall.ENOTDIR) {
			one.Remedy = "a file is where a folder has to be: let path of store " + s.Ref.Store + " lead to a folder, or move the file away"
		}
		all = append(all, one)
	}
	return all
}

// storeLost tells a new store from the place where one was.
func storeLost(f Facts) []Finding {
	return ofEachSecret(f, func(s Secret) []Finding {
		switch {
		case !s.Primary:
			return nil
		case s.Lost != nil && !errors.Is(s.Lost, rotator.ErrStoreLost) && !f.listed(s.Workspace):
			return []Finding{follows(s.about())}
		default:
			return []Finding{judged(s.about(), s.For, s.Lost)}
		}
	})
}

// listed tells whether the keys of a workspace could be listed.
func (f Facts) listed(workspace string) bool {
	return slices.ContainsFunc(f.Workspaces, func(w Workspace) bool { return w.Name == workspace && w.Listed == nil })
}

func storeRead(f Facts) []Finding {
	return ofEachSecret(f, func(s Secret) []Finding {
		err := s.Read
		if err == nil {
			err = s.Inspected
		}
		return []Finding{judged(s.about(), s.For, err)}
	})
}

func storeWrite(f Facts) []Finding {
	return ofEachSecret(f, func(s Secret) []Finding {
		switch {
		case s.Role != Target:
			return nil
		case s.Probed != nil && !s.Probes:
			return []Finding{hidden(s.about(), "a store of kind "+s.Kind+" cannot be asked whether it may be written", "")}
		case s.Probed != nil:
			return []Finding{judged(s.about(), s.For, s.Probed)}
		}
		var all []Finding
		for _, what := range s.Writes.Lacking {
			all = append(all, bad(s.about(), "no rotation could be stored: "+strings.TrimPrefix(what, "the next rotation could not be stored: "), s.rights()))
		}
		for _, what := range s.Writes.Unknown {
			all = append(all, hidden(s.about(), what, ""))
		}
		if len(all) == 0 {
			all = append(all, good(s.about(), ""))
		}
		return all
	})
}

// rights says where the rights are from that writing needs.
func (s Secret) rights() string {
	const see = "see to what the message names"
	switch s.Kind {
	case "file":
		return see + ": the user that the rotator runs as must be able to make files there"
	case "kubernetes":
		return see + "; deploy/kubernetes has the rights that are needed"
	default:
		return see + "; deploy/iam has the rights that are needed"
	}
}

func storeAdvice(f Facts) []Finding {
	return ofEachSecret(f, func(s Secret) []Finding {
		all := []Finding{}
		for _, texts := range [][]string{s.Snapshot.Advice, s.Writes.Advice} {
			for _, text := range texts {
				what, todo, _ := strings.Cut(text, ": run ")
				all = append(all, advice(s.about(), what, todo))
			}
		}
		if len(all) == 0 {
			all = append(all, good(s.about(), ""))
		}
		return all
	})
}

// unknownOrigin finds values that nobody retires, and those that do not even work.
func unknownOrigin(f Facts) []Finding {
	return ofEachSecret(f, func(s Secret) []Finding {
		if s.Role != Target {
			return nil
		}
		cur, held := s.Snapshot.Versions[secretstore.Current]
		switch what := "consumers of " + s.For + " get a value that the rotator did not put there"; {
		case !held || !cur.Foreign:
			return []Finding{good(s.about(), "")}
		case s.Tested.Verdict == rotator.Invalid:
			return []Finding{bad(s.about(), what+", and that does not work: "+s.Tested.Err.Error(), remedy.Program+" rotate "+s.For)}
		case s.Tested.Verdict == rotator.Valid:
			return []Finding{advice(s.about(), what+": it is used as it is, and nothing of "+s.For+" is revoked until it is replaced",
				remedy.Program+" adopt "+s.For+" takes it over, "+remedy.Program+" rotate "+s.For+" replaces it")}
		case s.Tested.Err == nil || !f.listed(s.Workspace): // it was not read, or Instantly does not answer
			return []Finding{follows(s.about())}
		default:
			return []Finding{hidden(s.about(), what+"; does it work? "+s.Tested.Err.Error(), "")}
		}
	})
}

// currentKey compares what the stores have with the key list.
func currentKey(f Facts) []Finding {
	listed := map[string]map[string]bool{}
	for _, w := range f.Workspaces {
		if w.Listed != nil {
			continue
		}
		listed[w.Name] = map[string]bool{}
		for _, k := range w.Keys {
			listed[w.Name][k.ID] = true
		}
	}
	return ofEachSecret(f, func(s Secret) []Finding {
		cur, held := s.Snapshot.Versions[secretstore.Current]
		keys, known := listed[s.Workspace]
		switch {
		case s.Role != Target || !held || cur.Foreign || f.Config.Sends(s.For):
			return nil
		case !known:
			return []Finding{follows(s.about())}
		case !keys[cur.ID]:
			return []Finding{bad(s.about(), "Instantly does not list key "+cur.ID+", which consumers of "+s.For+" hold", remedy.Program+" rotate "+s.For)}
		default:
			return []Finding{good(s.about(), "")}
		}
	})
}
