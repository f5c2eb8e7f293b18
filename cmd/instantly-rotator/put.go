package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/fleet"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/rotator/trail"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

// putFlags say where a value goes.
type putFlags struct {
	store, secret              string
	replace, noTest, forgetOld bool
}

func (a *app) putCommand() *cobra.Command {
	var f putFlags
	c := &cobra.Command{
		Use:               "put TARGET | --store STORE --secret NAME",
		ValidArgsFunction: a.completeOneTarget,
		Short:             "Put a value into a local store: an admin key, a receiver's URL",
		Long: `Put a value into a store: from standard input or, at a terminal, typed without
being shown. White space around it is not part of it.

With --store and --secret, it is one that the configuration refers to: a
workspace's admin_key, a receiver's url, a credential of a sink. It has one line,
unless it is a sink's private_key, which is taken in PEM.

With TARGET, consumers get the value at once, so it has to be a key that works: a
test call is made with it first, unless with --no-test, and unless it is what webhooks
send, which nothing can test. The rotator did not make it: it is used as it is and
never revoked, and nothing of that target is revoked or cleaned up until the next
rotation has replaced it.

A value that is there is replaced only with --replace, and none is put while an old
key is in its grace period: a store keeps one old key, and would forget that one.

Clouds and clusters have tools of their own for this; the command says which.`,
		Example: `  instantly-rotator put --store local --secret instantly-admin < admin-key
  instantly-rotator put sending`,
		RunE: func(c *cobra.Command, args []string) error { return a.put(c.Context(), args, f) },
	}
	c.Flags().StringVar(&f.store, "store", "", "the `name` of the store (default: the target's primary)")
	c.Flags().StringVar(&f.secret, "secret", "", "the `name` of the secret in that store")
	c.Flags().BoolVar(&f.replace, "replace", false, "replace the value that is there")
	c.Flags().BoolVar(&f.forgetOld, "forget-old", false, "with --replace: put it although an old key is in its grace period, which is forgotten then and left to you to revoke")
	c.Flags().BoolVar(&f.noTest, "no-test", false, "do not ask Instantly whether the value works: consumers get it all the same")
	return c
}

func (a *app) put(ctx context.Context, args []string, f putFlags) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	ref, err := f.where(cfg, args)
	if err != nil {
		return err
	}
	if other, ok := cfg.Stores[ref.Store].Settings.(storekind.ByHand); ok {
		return usageError{fmt.Errorf("store %s is of the kind %s, which has a tool of its own for this, with the value on standard input: %s",
			ref.Store, cfg.Stores[ref.Store].Kind, other.PutCommand(ref.Secret))}
	}
	if target := targetAt(cfg, ref); target != "" {
		return a.putForConsumers(ctx, cfg, ref, target, f)
	}
	c := fleet.Connect(a.fleetOptions(cfg, zap.NewNop(), false))
	defer c.Close()
	p := placement{ref: ref, pemFor: sinkOfPEM(cfg, ref)}
	if _, err := a.putRecorded(ctx, c, p, f, func(secret.Value) error { return nil }); err != nil {
		return err
	}
	a.sayPut(p)
	return nil
}

// putForConsumers puts a value where consumers of a target read it at once: into no store
// in the place of one that is lost, and none that cannot be a key, or that does not work.
func (a *app) putForConsumers(ctx context.Context, cfg *config.Config, ref config.StoreRef, target string, f putFlags) error {
	engine, err := fleet.Named(ctx, a.fleetOptions(cfg, zap.NewNop(), false), []string{target})
	if err != nil {
		return err
	}
	defer engine.Close()
	t := engine.Targets[0]
	err = engine.CheckLost(ctx, t)
	f.noTest = f.noTest || t.Credential && errors.Is(err, fleet.ErrNoAdminKey) // this is the one to ask with
	if err != nil && (!f.noTest || errors.Is(err, rotator.ErrStoreLost)) {
		return fmt.Errorf("%s: %w", target, err)
	}
	p := placement{ref: ref, target: target, sent: t.Senders != nil}
	check := func(value secret.Value) error { return a.checkKey(ctx, engine, t, value, f) }
	forgotten, err := a.putRecorded(ctx, engine.Connections, p, f, check)
	if err != nil {
		return err
	}
	a.sayPut(p)
	a.sayPutForConsumers(t, f, forgotten)
	return nil
}

// checkKey refuses a value that is no key that works.
func (a *app) checkKey(ctx context.Context, engine *fleet.Fleet, t rotator.Target, value secret.Value, f putFlags) error {
	if f.noTest {
		if err := instantly.Sendable(value); err != nil {
			return usageError{fmt.Errorf("the value can never be a key: %w", err)}
		}
		return nil
	}
	stop := a.afterSilence(func() string { return "waiting: does Instantly accept the value?" })
	defer stop()
	switch probe := engine.Test(ctx, t, value); {
	case ctx.Err() != nil:
		return errInterrupted
	case probe.Verdict == rotator.Valid:
		return nil
	case errors.Is(probe.Err, rotator.ErrNoKey):
		return usageError{fmt.Errorf("the value can never be a key: %w", probe.Err)}
	case probe.Verdict == rotator.Invalid:
		return fmt.Errorf("%w: %w", errNotAccepted, probe.Err)
	default:
		return fmt.Errorf("%w: %w", errUntested, probe.Err)
	}
}

// Why a value was not put where consumers read it.
var (
	errNotAccepted = errors.New("the value is no key that works, nothing was put")
	errUntested    = errors.New("it is not known whether the value works, nothing was put")
)

// oldKeyLivesError: a value that is put would push the old key out of the store's sight.
type oldKeyLivesError struct {
	placement
	id string
}

func (e oldKeyLivesError) Error() string {
	if e.sent {
		return "its webhooks may still send the value of before, " + e.id + ": nothing was put"
	}
	return "the old key " + e.id + " is still in its grace period: nothing was put"
}

// hint says how it can be put all the same.
func (e oldKeyLivesError) hint() string {
	if e.sent {
		return `when all of them send the current one, "` + program + " rotate --end-grace " + e.target +
			`" ends that, then put the value; if it cannot wait: put --replace --forget-old, then set the header of the webhooks yourself`
	}
	return `"` + program + " rotate --end-grace " + e.target + `" ends it, then put the value; where the current key does not work: ` +
		program + " rotate " + e.target + "; if neither can be: put --replace --forget-old, then revoke the old key yourself in Instantly"
}

// where finds the place of the value.
func (f putFlags) where(cfg *config.Config, args []string) (config.StoreRef, error) {
	none := config.StoreRef{}
	switch {
	case len(args) == 1 && f.secret == "":
		return storeOf(cfg, args[0], f.store)
	case len(args) > 0 || f.store == "" || f.secret == "":
		return none, usageError{errors.New("put takes one TARGET, or --store STORE and --secret NAME")}
	}
	st, ok := cfg.Stores[f.store]
	if !ok {
		return none, usageError{fmt.Errorf("no store named %q in the configuration; it has %s", f.store, strings.Join(slices.Sorted(maps.Keys(cfg.Stores)), ", "))}
	}
	if why := st.Settings.Refuse(f.secret); why != "" {
		return none, usageError{fmt.Errorf("--secret: %s", why)}
	}
	return config.StoreRef{Store: f.store, Secret: f.secret}, nil
}

// placement is where a value goes, and the target whose consumers read it there;
// empty if it is none's. pemFor is the sink that reads a key in PEM there, or empty.
type placement struct {
	ref    config.StoreRef
	target string
	pemFor string
	sent   bool // its webhooks send what is there
}

// targetAt gives the target that is kept there.
func targetAt(cfg *config.Config, ref config.StoreRef) string {
	for _, k := range cfg.Keys {
		if slices.ContainsFunc(k.Stores, func(r config.StoreRef) bool { return onePlace(cfg, r, ref) }) {
			return k.Name
		}
	}
	return ""
}

// sinkOfPEM gives the sink that has a key in PEM there.
func sinkOfPEM(cfg *config.Config, ref config.StoreRef) string {
	for _, name := range slices.Sorted(maps.Keys(cfg.Sinks)) {
		s := cfg.Sinks[name]
		for _, c := range s.Settings.Credentials() {
			from := s.Credentials[c.Name]
			if c.PEM && from.Store != "" && onePlace(cfg, config.StoreRef{Store: from.Store, Secret: from.Secret}, ref) {
				return name
			}
		}
	}
	return ""
}

// onePlace tells whether two are the same. Two stores of the configuration may name one
// place.
func onePlace(cfg *config.Config, a, b config.StoreRef) bool {
	x, y := cfg.Stores[a.Store], cfg.Stores[b.Store]
	return x.Kind == y.Kind && x.Settings.Place(a.Secret) == y.Settings.Place(b.Secret)
}

// putRecorded puts a value if check has nothing against it, and tells the trail before. It
// gives the id of the old key that is forgotten for it, if one is.
func (a *app) putRecorded(ctx context.Context, c *fleet.Connections, p placement, f putFlags, check func(secret.Value) error) (forgotten string, err error) {
	told := func(string, error) {}
	forgotten, err = a.putInto(ctx, c.Store(ctx, p.ref), p, f, func(value secret.Value) (err error) {
		if err = check(value); err != nil {
			return err
		}
		told, err = c.Recorder().Act(trail.What{Verb: "put", Target: p.target, Store: p.ref.Store}, "secret "+p.ref.Secret)
		return err
	})
	if told != nil {
		told("", err)
	}
	return forgotten, err
}

// putInto asks for the value only when it can be put, and puts it if check has nothing
// against it. It gives the id of the old key that is forgotten for it, if one is.
func (a *app) putInto(ctx context.Context, st secretstore.Store, p placement, f putFlags, check func(secret.Value) error) (forgotten string, err error) {
	at := fmt.Sprintf("store %s, secret %s", p.ref.Store, p.ref.Secret)
	seen, err := st.Describe(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	putter, ok := st.(secretstore.Putter)
	if !ok {
		return "", usageError{fmt.Errorf("%s: this kind of store cannot take a value from here", at)}
	}
	if _, has := seen.Versions[secretstore.Current]; has && !f.replace {
		what := "there is a value already"
		if p.target != "" {
			what = "consumers of " + p.target + " use the key that is there already"
		}
		return "", usageError{fmt.Errorf("%s: %s: --replace puts another one in its place", at, what)}
	}
	if p.target != "" {
		forgotten = p.oldKeyIn(seen)
	}
	if forgotten != "" && !f.forgetOld {
		return "", fmt.Errorf("%s: %w", at, oldKeyLivesError{p, forgotten})
	}
	value, err := a.askForValue(ctx, at, p.pemFor)
	if err != nil {
		return "", err
	}
	if err := check(value); err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	seen, err = putter.Put(ctx, seen, value)
	if old, has := seen.Versions[secretstore.Previous]; err == nil && has && p.target == "" {
		_, err = st.Destroy(ctx, seen, old.ID) // nobody else would
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return forgotten, nil
}

// oldKeyIn gives the id of the old key whose place another value that is put would take,
// so that nothing has it any more; empty if there is none. Of what webhooks send it is any
// previous value: receivers must accept that, whoever put it there.
func (p placement) oldKeyIn(seen secretstore.Snapshot) string {
	cur, has := seen.Versions[secretstore.Current]
	old := seen.Versions[secretstore.Previous]
	if !has || !p.sent && (cur.Foreign || old.Foreign) {
		return ""
	}
	return old.ID
}

// sayPut says that it is done.
func (a *app) sayPut(p placement) {
	fmt.Fprintf(a.stdout, "store %s, secret %s: the value is there\n", p.ref.Store, p.ref.Secret)
}

// sayPutForConsumers says what follows from it for a target.
func (a *app) sayPutForConsumers(t rotator.Target, f putFlags, forgotten string) {
	if t.Senders != nil {
		a.sayPutForReceivers(t, forgotten)
		return
	}
	tested := "; it works"
	if f.noTest {
		tested = "; it was not tested: " + a.pasted(program+" verify "+t.Name)
	}
	fmt.Fprintf(a.stdout, `%[1]s: consumers of this store get it from now on%[2]s
%[1]s: it is of unknown origin: it is never revoked, and nothing of %[1]s is revoked or cleaned up until it is taken over: %[3]s; or replaced: %[4]s
`, t.Name, tested, a.pasted(program+" adopt "+t.Name), a.pasted(program+" rotate "+t.Name))
	if forgotten != "" {
		fmt.Fprintf(a.stdout, "%s: the old key %s is forgotten here and still works: revoke it yourself in Instantly under Settings > Integrations > API Keys\n", t.Name, forgotten)
	}
}

// sayPutForReceivers says what follows from it for a target whose value webhooks send.
func (a *app) sayPutForReceivers(t rotator.Target, forgotten string) {
	fmt.Fprintf(a.stdout, `%[1]s: receivers get it from now on, beside the value of before
%[1]s: nothing can test it: its webhooks send what they sent before until receivers have had %[2]s to read this one; "%[3]s" switches them then
`, t.Name, humantime.Span(t.Policy.Settle), a.pasted(program+" rotate --due "+t.Name))
	if forgotten != "" {
		fmt.Fprintf(a.stdout, "%s: receivers refuse what webhooks send that is neither: set their header yourself\n", t.Name)
	}
}
