package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/instantly-rotator/instantly-rotator/rotator"
	"github.com/instantly-rotator/instantly-rotator/secretstore"
)

func (a *app) statusCommand() *cobra.Command {
	var output string
	var wide bool
	c := &cobra.Command{
		Use:               "status [TARGET...]",
		ValidArgsFunction: a.completeTargets,
		Short:             "Show which key is where, what happens next, and what needs a person",
		RunE: func(c *cobra.Command, names []string) error {
			return a.status(c.Context(), names, output, wide)
		},
	}
	outputFlag(c, &output)
	c.Flags().BoolVarP(&wide, "wide", "w", false, "whole key ids")
	return c
}

// targetStatus is a target as -o json prints it.
type targetStatus struct {
	Target       string        `json:"target"`
	Workspace    string        `json:"workspace"`
	KeyID        string        `json:"key_id,omitempty"`
	Ours         bool          `json:"ours"`
	Since        *time.Time    `json:"since,omitempty"`
	AgeSeconds   int64         `json:"age_seconds,omitempty"`
	NextRotation *time.Time    `json:"next_rotation,omitempty"`
	OldKeys      []oldKey      `json:"old_keys,omitempty"`
	Stores       []storeStatus `json:"stores"`
	Due          bool          `json:"due"`
	Dead         bool          `json:"dead"` // consumers hold a dead key
	NextStep     string        `json:"next_step"`
	Reason       string        `json:"reason"`
	LastFailure  *failure      `json:"last_failure,omitempty"`
	Hold         *hold         `json:"hold,omitempty"`
	Incident     *incident     `json:"incident,omitempty"`
	Error        string        `json:"error,omitempty"`
	Hints        []string      `json:"hints,omitempty"`
}

type oldKey struct {
	ID    string     `json:"id"`
	Until *time.Time `json:"until,omitempty"`
}

type storeStatus struct {
	Store    string `json:"store"`
	Pending  string `json:"pending,omitempty"`
	Current  string `json:"current,omitempty"`
	Previous string `json:"previous,omitempty"`
	Error    string `json:"error,omitempty"`
}

type failure struct {
	Count  int       `json:"count"`
	At     time.Time `json:"at"`
	Step   string    `json:"step"`
	Reason string    `json:"reason"`
}

type hold struct {
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

type incident struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// workspaceStatus is a workspace as -o json prints it.
type workspaceStatus struct {
	Workspace    string    `json:"workspace"`
	Organization string    `json:"organization,omitempty"`
	Keys         int       `json:"keys"`
	NotOurs      []foreign `json:"not_ours"`
	Error        string    `json:"error,omitempty"`
}

type foreign struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *app) status(ctx context.Context, names []string, output string, wide bool) error {
	d, err := a.deploy(ctx, names, true)
	if err != nil {
		return err
	}
	defer d.close()
	outlooks := d.Outlook(ctx, d.targets, rotator.Request{})
	statuses, failed := make([]targetStatus, len(outlooks)), false
	for i, o := range outlooks {
		statuses[i] = a.statusOf(o)
		failed = failed || o.Next.Err != nil || o.Dead || unreadable(outlooks[i:i+1])
	}
	var workspaces []workspaceStatus
	if len(names) == 0 && !unreadable(outlooks) { // else "not ours" could not be told
		workspaces = inventories(d.Inventory(ctx, d.targets, outlooks))
	}
	all := map[string]any{"targets": statuses, "workspaces": workspaces}
	if err := a.show(output, all, func() { a.statusTable(statuses, workspaces, wide) }); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failed:
		return errFailed
	default:
		return nil
	}
}

func (a *app) statusOf(o rotator.Outlook) targetStatus {
	s := targetStatus{
		Target: o.Target, Workspace: o.Workspace, Due: o.Due, Dead: o.Dead, NextStep: string(o.Next.Verb), Reason: o.Next.Reason,
		Since: optional(o.Since), NextRotation: optional(o.NextDue), Hints: a.hintsOf(o),
	}
	if o.Current != nil {
		s.KeyID, s.Ours = o.Current.ID, !o.Current.Foreign
	}
	if !o.Since.IsZero() {
		s.AgeSeconds = max(0, int64(a.now().Sub(o.Since)/time.Second)) // promotions are written down a little late
	}
	for _, old := range o.Old {
		s.OldKeys = append(s.OldKeys, oldKey{old.ID, optional(old.Until)})
	}
	for _, st := range o.Stores {
		s.Stores = append(s.Stores, storeOf(st))
	}
	if f := o.Failure; f.Count > 0 {
		s.LastFailure = &failure{f.Count, f.At.UTC(), f.Step, f.Reason}
	}
	if h := o.Hold; !h.IsZero() {
		s.Hold = &hold{h.Since.UTC(), optional(h.Until), h.Reason}
	}
	if i := o.Incident; !i.IsZero() {
		s.Incident = &incident{i.ID, i.At.UTC()}
	}
	if o.Next.Err != nil {
		s.Error = o.Next.Err.Error()
	}
	return s
}

func storeOf(st rotator.StoreState) storeStatus {
	s := storeStatus{
		Store: st.Name, Pending: st.Versions[secretstore.Pending].ID,
		Current: st.Versions[secretstore.Current].ID, Previous: st.Versions[secretstore.Previous].ID,
	}
	if st.Err != nil {
		s.Error = st.Err.Error()
	}
	return s
}

// unreadable tells whether some store could not be read.
func unreadable(outlooks []rotator.Outlook) bool {
	return slices.ContainsFunc(outlooks, func(o rotator.Outlook) bool {
		return slices.ContainsFunc(o.Stores, func(st rotator.StoreState) bool { return st.Err != nil })
	})
}

// hintsOf says what a person should know or do about a target.
func (a *app) hintsOf(o rotator.Outlook) []string {
	var hints []string
	if o.Next.Err != nil {
		hints = append(hints, o.Next.Err.Error())
		if h := hintFor(o.Next.Err); h != "" {
			hints = append(hints, h)
		}
	}
	if h := o.Hold; !h.IsZero() {
		hints = append(hints, holdHint(o.Target, h))
	}
	if i := o.Incident; !i.IsZero() {
		hints = append(hints, fmt.Sprintf("incident %s since %s: the keys of before it are replaced and revoked without a grace period; not to wait for the next run: \"rotate --compromised %s --incident %s\"", i.ID, stamp(i.At), o.Target, i.ID))
	}
	if o.Failure.Count > 0 {
		hints = append(hints, fmt.Sprintf("failed %s, last at %s (%s): %s", times(o.Failure.Count), stamp(o.Failure.At), o.Failure.Step, o.Failure.Reason))
	}
	if o.Current != nil && o.Current.Foreign {
		hints = append(hints, "the current key was not made by the rotator: it is used as it is and never revoked; \"rotate "+o.Target+"\" replaces it, then revoke it yourself in Instantly")
	}
	if o.Current != nil && o.Since.IsZero() {
		hints = append(hints, "the age of the current key is not known, so it never falls due by itself; \"rotate "+o.Target+"\" starts afresh")
	}
	hints = append(hints, adviceOf(o)...)
	if n := len(o.Orphans); n > 0 {
		hints = append(hints, fmt.Sprintf("%d keys left behind by interrupted rotations; \"rotate --due\" revokes them", n))
	}
	if o.Dead {
		hints = append(hints, "consumers hold a dead key; run: instantly-rotator rotate --due")
	} else if o.Due && o.Next.Err == nil {
		hints = append(hints, "due: "+o.Because+"; \"rotate --due\" sees to it")
	}
	return hints
}

// adviceOf gathers what the stores have to say, and what the old key waits for.
func adviceOf(o rotator.Outlook) []string {
	var advice []string
	if len(o.Gates) > 0 {
		advice = append(advice, "the old key is revoked only when its consumers have moved: "+strings.Join(o.Gates, ", ")+
			" (a run asks whether they have; this look did not)")
	}
	for _, st := range o.Stores {
		for _, a := range st.Advice {
			advice = append(advice, "store "+st.Name+": "+a)
		}
	}
	return advice
}

// holdText says why a key is left as it is.
func holdText(h secretstore.Hold) string {
	text := "on hold since " + stamp(h.Since)
	if h.Reason != "" {
		text += " (" + h.Reason + ")"
	}
	return text
}

func holdHint(target string, h secretstore.Hold) string {
	text := holdText(h)
	if !h.Until.IsZero() {
		text += ", until " + stamp(h.Until)
	}
	return text + "; \"release " + target + "\" ends it"
}

func inventories(invs []rotator.Inventory) []workspaceStatus {
	var out []workspaceStatus
	for _, inv := range invs {
		w := workspaceStatus{Workspace: inv.Workspace, Organization: inv.Organization, Keys: inv.Keys, NotOurs: []foreign{}}
		for _, k := range inv.Strangers {
			w.NotOurs = append(w.NotOurs, foreign{k.ID, k.Name})
		}
		if inv.Err != nil {
			w.Error = inv.Err.Error()
		}
		out = append(out, w)
	}
	return out
}

func (a *app) statusTable(statuses []targetStatus, workspaces []workspaceStatus, wide bool) {
	id := shortID
	if wide {
		id = dash
	}
	t := a.table("TARGET", "WORKSPACE", "STORE", "PENDING", "CURRENT", "PREVIOUS", "AGE", "NEXT ROTATION", "OLD KEY ENDS", "OUTCOME")
	for _, s := range statuses {
		for i, st := range s.Stores {
			if i > 0 {
				t.AppendRow(row("", "", st.Store, id(st.Pending), id(st.Current), id(st.Previous), "", "", "", storeOutcome(st)))
				continue
			}
			t.AppendRow(row(s.Target, s.Workspace, st.Store, id(st.Pending), id(st.Current), id(st.Previous),
				a.age(s), a.when(s.NextRotation), a.oldEnds(s), s.outcome()))
		}
	}
	t.Render()
	for _, s := range statuses {
		for _, h := range s.Hints {
			fmt.Fprintf(a.stdout, "%s: %s\n", text.FgYellow.Sprint(s.Target), h)
		}
	}
	for _, w := range workspaces {
		if w.Error == "" {
			fmt.Fprintf(a.stdout, "workspace %s: %s, %d of them not ours (never touched)\n", w.Workspace, count(w.Keys, "key"), len(w.NotOurs))
		}
	}
}

// outcome is the one word that says how a target is.
func (s targetStatus) outcome() string {
	switch {
	case s.Error != "":
		return text.FgRed.Sprint("blocked")
	case s.Dead:
		return text.FgRed.Sprint("DEAD KEY")
	case s.Incident != nil:
		return text.FgRed.Sprint("incident")
	case s.Hold != nil:
		return text.FgYellow.Sprint("on hold")
	case s.LastFailure != nil:
		return text.FgRed.Sprintf("failed %s", times(s.LastFailure.Count))
	case s.KeyID == "":
		return text.FgYellow.Sprint("no key yet")
	case s.Due:
		return text.FgYellow.Sprint("due")
	case s.KeyID != "" && !s.Ours:
		return text.FgYellow.Sprint("not ours")
	case len(s.OldKeys) > 0:
		return "in grace"
	default:
		return text.FgGreen.Sprint("ok")
	}
}

func storeOutcome(st storeStatus) string {
	if st.Error != "" {
		return text.FgRed.Sprint("unreadable")
	}
	return ""
}

func (a *app) age(s targetStatus) string {
	if s.Since == nil {
		return "-"
	}
	return span(a.now().Sub(*s.Since))
}

func (a *app) when(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", stamp(*at), until(*at, a.now()))
}

func (a *app) oldEnds(s targetStatus) string {
	if len(s.OldKeys) == 0 {
		return "-"
	}
	return a.when(s.OldKeys[0].Until)
}
