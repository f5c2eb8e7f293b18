package evidence

import "slices"

// summary counts what matters most.
func summary(r Report) []Figure {
	var issued, rotated, revoked, dead, unproven []Ref
	for _, t := range r.Targets {
		for _, k := range t.Keys {
			r.take(&issued, k.Issued, k.Origin == Issued)
			r.take(&rotated, k.Displaced, true)
			r.take(&revoked, k.Revoked, true)
			r.take(&dead, k.Dead, true)
			r.take(&unproven, k.Revoked, k.End == Revoked)
		}
	}
	late, missing := splitLate(r.Late)
	onTime, early, unjudged := r.punctual(late)
	out := []Figure{
		count("Keys issued", issued), count("Rotations", rotated),
		count("… on time", onTime), count("… late", late), count("… before they were due", early), count("… not judged: schedule never, or age or policy not known", unjudged),
		count("Rotations missing at the end", missing),
		count("Old keys revoked", revoked), count("… proven dead by a refused call", dead), count("… not proven dead", unproven),
	}
	return append(out, ofPeople(r)...)
}

// punctual sorts the rotations that did not come late.
func (r Report) punctual(late []Ref) (onTime, early, unjudged []Ref) {
	for _, t := range r.Targets {
		for _, k := range t.Keys {
			due := !k.Due.IsZero()
			r.take(&unjudged, k.Displaced, !due)
			r.take(&early, k.Displaced, due && k.Displaced.At.Before(k.Due))
			r.take(&onTime, k.Displaced, due && !k.Displaced.At.Before(k.Due) && k.Displaced.Known() && !slices.Contains(late, k.Displaced.Entries[0]))
		}
	}
	return onTime, early, unjudged
}

// take takes the entry of a moment in the period.
func (r Report) take(to *[]Ref, m Moment, counts bool) {
	if counts && m.Known() && len(m.Entries) > 0 && !m.At.Before(r.From) && m.At.Before(r.To) {
		*to = append(*to, m.Entries[0])
	}
}

func splitLate(all []Late) (late, missing []Ref) {
	for _, l := range all {
		if l.Rotated.Known() {
			late = append(late, l.Rotated.Entries[0])
		} else {
			missing = append(missing, l.Since.Entries[0])
		}
	}
	return late, missing
}

// ofPeople counts what people said and did.
func ofPeople(r Report) []Figure {
	var declared, exceptions []Ref
	var longest *Span
	for _, in := range r.Incidents {
		declared = append(declared, in.Declared.Entries[0])
		if in.Graceful {
			continue // old keys were to work on
		}
		if longest == nil || longest.Known && (!in.Exposure.Known || in.Exposure.Seconds > longest.Seconds) {
			longest = &in.Exposure // one that is not known may be longer than any
		}
	}
	for _, x := range r.Exceptions {
		exceptions = append(exceptions, x.Began.Entries[0])
	}
	out := []Figure{count("Incidents", declared)}
	if longest != nil {
		out = append(out, Figure{Name: "Longest exposure in an incident without grace periods", Span: longest})
	}
	return append(out, count("Exceptions", exceptions))
}

func count(name string, entries []Ref) Figure {
	c := counted(entries...)
	return Figure{Name: name, Count: &c}
}
