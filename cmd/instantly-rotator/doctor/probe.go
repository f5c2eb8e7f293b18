package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// ProbeOptions say on which account a probe is made, and how patient it is.
type ProbeOptions struct {
	// Owner that the keys are named with.
	Owner string
	// Client acts with the workspace's admin key. AsGo does so too, and calls itself
	// what Go's programs do by default.
	Client, AsGo *instantly.Client
	// Wait is how long a key's beginning and end are waited for, Pause how long between
	// two looks.
	Wait, Pause time.Duration
	// Rate gives what answers have said of the budget.
	Rate func() instantly.RateLimit
	// Waiting is told what is being done.
	Waiting func(what string)
}

// probeScope is the least that a key can do: read the name of its workspace.
const probeScope = "workspaces:read"

// ProbeAnswer is one thing that the vendor does not say, and what was found out.
type ProbeAnswer struct {
	ID       string `json:"id"`
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Known    bool   `json:"known"`
}

// ProbeReport is what a probe came to. Nothing in it is secret, or tells whose the
// account is.
type ProbeReport struct {
	Answers []ProbeAnswer `json:"answers"`
	// Before is how many keys a probe of before had left, that are revoked now.
	Before int `json:"left_over_before"`
	// Running are other probes that may be running still: Alone is how many keys of
	// theirs are left alone.
	Running []string `json:"may_be_running,omitempty"`
	Alone   int      `json:"left_alone,omitempty"`
	// Error is why it ended early; Left why keys of it may be alive.
	Error string `json:"error,omitempty"`
	Left  string `json:"left_over,omitempty"`
}

// Settled tells whether everything was found out, and nothing is left.
func (r ProbeReport) Settled() bool {
	return r.Error == "" && r.Left == "" && !slices.ContainsFunc(r.Answers, func(a ProbeAnswer) bool { return !a.Known })
}

// prober is a probe under way.
type prober struct {
	ProbeOptions
	ctx  context.Context
	name string // what the names of its keys begin with
	id   string // of the key that is looked at, as the list has it
	ProbeReport
}

// Probe finds out, with keys made for it, what the vendor does not say. Its keys are
// revoked in the end, whatever happens but the death of the process; what is left of
// one that died, it revokes first, once no probe can have it in hand any more.
func Probe(ctx context.Context, o ProbeOptions) ProbeReport {
	p := &prober{ProbeOptions: o, ctx: ctx, name: o.Owner + probeMark + strings.ToLower(rand.Text()[:nonceLength])}
	if err := p.run(ctx); err != nil {
		p.Error = err.Error()
	}
	return p.ProbeReport
}

func (p *prober) run(ctx context.Context) error {
	p.Waiting("revoke what a probe of before has left")
	keys, err := p.Client.Keys(ctx)
	if err != nil {
		return err
	}
	cutOff, young := leftOver(keys, p.Owner, time.Now())
	p.Before, p.Alone, p.Running = len(cutOff), len(young), probesOf(young, p.Owner)
	if err := revoke(ctx, p.Client, cutOff); err != nil {
		return err
	}
	defer p.cleanUp(ctx)
	p.Waiting("make a key")
	made := time.Now()
	key, err := p.create(ctx, p.name, []string{probeScope})
	if err != nil {
		return err
	}
	p.id = key.ID
	for _, ask := range []func(){
		func() { p.activation(ctx, key.Secret, made) },
		func() { p.listed(ctx, key) },
		func() { p.agent(ctx, key.Secret) },
		func() { p.names(ctx) },
		func() { p.scopes(ctx) },
		func() { p.headers() },
		func() { p.revocation(ctx, key.Secret) },
	} {
		ask()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// creating is how long an answer to a create is waited for.
const creating = 10 * time.Second

// create makes a key. It is not cut off by an interruption: what is made after the
// cleaning up nobody would revoke.
func (p *prober) create(ctx context.Context, name string, scopes []string) (instantly.Key, error) {
	if ctx.Err() != nil {
		return instantly.Key{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), creating)
	defer cancel()
	return p.Client.CreateKey(ctx, name, scopes)
}

// told takes an answer down.
func (p *prober) told(id, question string, known bool, format string, args ...any) {
	if !known && errors.Is(context.Cause(p.ctx), context.Canceled) {
		return // interrupted: that it is not known says nothing
	}
	p.Answers = append(p.Answers, ProbeAnswer{ID: id, Question: question, Known: known, Answer: fmt.Sprintf(format, args...)})
}

// activation looks until a new key is accepted.
func (p *prober) activation(ctx context.Context, value secret.Value, made time.Time) {
	p.Waiting("until the new key is accepted")
	const question = "how soon is a new key accepted?"
	took, last := p.until(ctx, value, instantly.Valid, made)
	if last.Verdict != instantly.Valid {
		p.told("activation", question, false, "not within %s: %v", p.Wait, last.Err)
		return
	}
	p.told("activation", question, true, "%s after it was asked for", took)
}

// until makes test calls until they come to a verdict, and says when that was.
func (p *prober) until(ctx context.Context, value secret.Value, wanted instantly.Verdict, since time.Time) (took string, last instantly.Probe) {
	for looks := 1; ; looks++ {
		last = p.Client.Probe(ctx, value, []string{probeScope})
		if last.Verdict == wanted {
			return seen(time.Since(since), looks), last
		}
		if time.Since(since) > p.Wait || ctx.Err() != nil {
			return "", last
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.Pause):
		}
	}
}

// seen says how long something took, as far as looking now and then shows.
func seen(took time.Duration, looks int) string {
	const fine = 100 * time.Millisecond
	if looks == 1 {
		return "at the first look, within " + (took.Truncate(fine) + fine).String()
	}
	return "about " + took.Round(fine).String()
}

// listed compares what the list has with what the create answered.
func (p *prober) listed(ctx context.Context, made instantly.Key) {
	p.Waiting("read the key list")
	const value, id = "what does the key list show of a value?", "does the key list have the id that the create answered?"
	keys, err := p.Client.Keys(ctx)
	if err != nil {
		p.told("list-value", value, false, "%v", err)
		return
	}
	at := slices.IndexFunc(keys, func(k instantly.Key) bool { return k.Name == made.Name })
	if at < 0 {
		p.told("list-value", value, false, "the list does not have the key %s after it was made", p.name)
		return
	}
	shown := keys[at]
	p.id = shown.ID
	switch {
	case shown.Secret.IsZero():
		p.told("list-value", value, true, "empty: nothing of it")
	case shown.Secret.Equal(made.Secret):
		p.told("list-value", value, true, "full: who may list keys can read them all")
	default:
		p.told("list-value", value, true, "masked: something else than the value")
	}
	if shown.ID == made.ID {
		p.told("list-id", id, true, "yes")
	} else {
		p.told("list-id", id, true, "no, another one")
	}
}

func (p *prober) agent(ctx context.Context, value secret.Value) {
	p.Waiting("call as Go's programs do by default")
	const question = "is Go's default User-Agent let in?"
	got := p.AsGo.Probe(ctx, value, []string{probeScope})
	switch {
	case errors.Is(got.Err, instantly.ErrBlocked):
		p.told("default-agent", question, true, "no: %s", said(got.Err))
	case got.Verdict == instantly.Valid:
		p.told("default-agent", question, true, "yes")
	default:
		p.told("default-agent", question, false, "%v", got.Err)
	}
}

// lengths of names that are tried, in characters.
func lengths() []int { return []int{64, 128, 255, 512, 1000} }

// names makes keys with longer and longer names, until one is refused.
func (p *prober) names(ctx context.Context) {
	p.Waiting("make keys with long names")
	const question = "how long may a key's name be?"
	longest := 0
	for _, n := range lengths() {
		key, err := p.create(ctx, p.name+strings.Repeat("x", n-len(p.name)), []string{probeScope})
		switch {
		case errors.Is(err, instantly.ErrBadRequest):
			p.told("name-length", question, true, "%d characters are accepted, %d are not: %s", longest, n, said(err))
			return
		case err != nil:
			p.told("name-length", question, false, "%d characters are accepted; %d: %s", longest, n, strings.ReplaceAll(err.Error(), strings.Repeat("x", 32), ""))
			return
		case len(key.Name) != n:
			p.told("name-length", question, true, "%d characters are accepted; of %d it keeps %d", longest, n, len(key.Name))
			return
		}
		longest = n
	}
	p.told("name-length", question, true, "%d characters at least", longest)
}

// scopes tries one that operations ask for and that the published list lacks.
func (p *prober) scopes(ctx context.Context) {
	p.Waiting("make a key with a scope that is not published")
	const question, scope = "is a scope accepted that the published list lacks?", "supersearch_enrichments:read"
	_, err := p.create(ctx, p.name+" scope", []string{scope})
	switch {
	case err == nil:
		p.told("unlisted-scope", question, true, "yes (%s)", scope)
	case errors.Is(err, instantly.ErrBadRequest):
		p.told("unlisted-scope", question, true, "no (%s): %s", scope, said(err))
	default:
		p.told("unlisted-scope", question, false, "%v", err)
	}
}

func (p *prober) headers() {
	const question = "do answers say what is left of the rate limit?"
	if r := p.Rate(); r.Known {
		p.told("rate-headers", question, true, "yes: of %d", r.Limit)
		return
	}
	p.told("rate-headers", question, true, "no")
}

// revocation deletes the key and looks until it is refused.
func (p *prober) revocation(ctx context.Context, value secret.Value) {
	p.Waiting("until the deleted key is refused")
	const question, text = "how soon is a deleted key refused?", "what is a deleted key told?"
	deleted := time.Now()
	if err := p.Client.DeleteKey(ctx, p.id); err != nil {
		p.told("revocation", question, false, "%v", err)
		return
	}
	took, last := p.until(ctx, value, instantly.Invalid, deleted)
	if last.Verdict != instantly.Invalid {
		p.told("revocation", question, false, "not within %s", p.Wait)
		return
	}
	p.told("revocation", question, true, "%s after it was deleted", took)
	p.told("dead-key", text, true, "%s", said(last.Err))
}

// said gives the API's own answer, and nothing of who asked what.
func said(err error) string {
	var e *instantly.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	words := fmt.Sprintf("HTTP %d", e.Status)
	if e.Code != "" {
		words += fmt.Sprintf(", error %q", e.Code)
	}
	if e.Message != "" {
		words += fmt.Sprintf(", message %q", e.Message)
	}
	return words
}

// cleaning is how long it may take to revoke what was made.
const cleaning = 30 * time.Second

// cleanUp revokes every key of this probe, also after an interruption, and those whose
// create was never answered.
func (p *prober) cleanUp(ctx context.Context) {
	p.Waiting("revoke the keys that were made")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaning)
	defer cancel()
	keys, err := p.Client.Keys(ctx)
	if err == nil {
		err = revoke(ctx, p.Client, named(keys, p.name))
	}
	if err != nil {
		p.Left = fmt.Sprintf("keys named %q may be alive: %v", p.name+"…", err)
	}
}
