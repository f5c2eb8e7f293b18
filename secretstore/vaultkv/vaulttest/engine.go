package vaulttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Engine keeps the secrets of a mount.
type Engine interface {
	// Do answers a request on a path below the mount. An answer without data is nil.
	Do(r Request) (status int, data map[string]any, errs []string)
}

// Request is one to an engine.
type Request struct {
	// Operation is read, create, update or delete.
	Operation string
	Path      string
	Data      map[string]any
}

// version is one of a path.
type version struct {
	data      map[string]any
	created   time.Time
	deleted   time.Time // zero: not
	ends      string    // when it deletes itself
	destroyed bool
}

// path is what a key of the engine has.
type path struct {
	current     int
	versions    map[int]*version
	maxVersions int
	casRequired bool
}

// KV is a reading of the KV engine, version 2, in memory.
type KV struct {
	// DeletesAt is the time at which what is written deletes itself; empty for never.
	DeletesAt string

	mu    sync.Mutex
	paths map[string]*path
	last  time.Time
}

// NewKV gives an empty engine.
func NewKV() *KV { return &KV{paths: map[string]*path{}} }

// Do implements [Engine].
func (k *KV) Do(r Request) (int, map[string]any, []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	part, name, _ := strings.Cut(r.Path, "/")
	do := map[string]func(string, map[string]any) (int, map[string]any, []string){
		"read data": k.read, "create data": k.write, "update data": k.write, "delete data": k.delete,
		"create destroy": k.destroy, "update destroy": k.destroy, "create undelete": k.undelete, "update undelete": k.undelete,
		"create metadata": k.configure, "update metadata": k.configure, "delete metadata": k.forget,
	}[r.Operation+" "+part]
	if do == nil || name == "" {
		return http.StatusMethodNotAllowed, nil, []string{"1 error occurred:\n\t* unsupported operation\n\n"}
	}
	return do(name, r.Data)
}

func (k *KV) read(name string, data map[string]any) (int, map[string]any, []string) {
	p := k.paths[name]
	if p == nil {
		return http.StatusNotFound, nil, nil
	}
	n := p.current
	if asked := number(data["version"]); asked > 0 {
		n = asked
	}
	v := p.versions[n]
	switch {
	case v == nil:
		return http.StatusNotFound, nil, nil
	case v.destroyed || !v.deleted.IsZero():
		return http.StatusNotFound, map[string]any{"data": nil, "metadata": v.metadata(n)}, nil
	}
	return http.StatusOK, map[string]any{"data": v.data, "metadata": v.metadata(n)}, nil
}

func (v *version) metadata(n int) map[string]any {
	deleted := v.ends
	if !v.deleted.IsZero() {
		deleted = v.deleted.Format(time.RFC3339Nano)
	}
	return map[string]any{
		"version": n, "created_time": v.created.Format(time.RFC3339Nano), "deletion_time": deleted,
		"destroyed": v.destroyed, "custom_metadata": nil,
	}
}

// at gives a path, made if it is not there.
func (k *KV) at(name string) *path {
	if k.paths[name] == nil {
		k.paths[name] = &path{versions: map[int]*version{}}
	}
	return k.paths[name]
}

func (k *KV) write(name string, data map[string]any) (int, map[string]any, []string) {
	object, ok := data["data"].(map[string]any)
	if !ok {
		return http.StatusBadRequest, nil, []string{"no data provided"}
	}
	var current int
	var required bool
	if p := k.paths[name]; p != nil {
		current, required = p.current, p.casRequired
	}
	options, _ := data["options"].(map[string]any)
	switch cas, given := options["cas"]; {
	case given && number(cas) != current:
		return http.StatusBadRequest, nil, []string{"check-and-set parameter did not match the current version"}
	case !given && required:
		return http.StatusBadRequest, nil, []string{"check-and-set parameter required for this call"}
	}
	p := k.at(name)
	p.current++
	v := &version{data: maps.Clone(object), created: k.now(), ends: k.DeletesAt}
	p.versions[p.current] = v
	keep := p.maxVersions
	if keep == 0 {
		keep = 10 // the engine's default
	}
	maps.DeleteFunc(p.versions, func(n int, _ *version) bool { return n <= p.current-keep })
	return http.StatusOK, v.metadata(p.current), nil
}

// now is later with every call.
func (k *KV) now() time.Time {
	now := time.Now().UTC().Round(0)
	if !now.After(k.last) {
		now = k.last.Add(1)
	}
	k.last = now
	return now
}

func (k *KV) delete(name string, _ map[string]any) (int, map[string]any, []string) {
	if p := k.paths[name]; p != nil && p.versions[p.current] != nil {
		p.versions[p.current].deleted = k.now()
	}
	return http.StatusNoContent, nil, nil
}

func (k *KV) each(name string, data map[string]any, do func(*version)) (int, map[string]any, []string) {
	versions, _ := data["versions"].([]any)
	if len(versions) == 0 {
		return http.StatusBadRequest, nil, []string{"no version number provided"}
	}
	if p := k.paths[name]; p != nil {
		for _, n := range versions {
			if v := p.versions[number(n)]; v != nil {
				do(v)
			}
		}
	}
	return http.StatusNoContent, nil, nil
}

func (k *KV) destroy(name string, data map[string]any) (int, map[string]any, []string) {
	return k.each(name, data, func(v *version) { v.data, v.destroyed = nil, true })
}

func (k *KV) undelete(name string, data map[string]any) (int, map[string]any, []string) {
	return k.each(name, data, func(v *version) { v.deleted = time.Time{} })
}

func (k *KV) configure(name string, data map[string]any) (int, map[string]any, []string) {
	p := k.at(name)
	if n, given := data["max_versions"]; given {
		p.maxVersions = number(n)
	}
	if required, given := data["cas_required"].(bool); given {
		p.casRequired = required
	}
	return http.StatusNoContent, nil, nil
}

func (k *KV) forget(name string, _ map[string]any) (int, map[string]any, []string) {
	delete(k.paths, name)
	return http.StatusNoContent, nil, nil
}

// Holding lists the versions of a path whose objects are still there.
func (k *KV) Holding(name string) []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	var holding []int
	if p := k.paths[name]; p != nil {
		for n, v := range p.versions {
			if !v.destroyed {
				holding = append(holding, n)
			}
		}
	}
	slices.Sort(holding)
	return holding
}

func number(v any) int {
	n, err := strconv.Atoi(strings.TrimSuffix(fmt.Sprint(v), ".0"))
	if f, ok := v.(json.Number); ok && err != nil {
		whole, _ := f.Int64()
		return int(whole)
	}
	return n
}

// Value is a field of a version of a path; empty if there is none.
func (k *KV) Value(name string, n int, field string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.paths[name]; p != nil && p.versions[n] != nil {
		text, _ := p.versions[n].data[field].(string)
		return text
	}
	return ""
}
