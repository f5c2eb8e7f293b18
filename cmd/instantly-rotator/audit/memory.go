package audit

// Memory knows what earlier audits have found, so that it can tell what is new. Its zero
// value knows of none.
type Memory struct{ known map[string]bool }

// New gives the findings that somebody has to see to and that no audit before has had, and
// tells whether there was none. What is only not known is not among them. What a check
// could not look at this time is taken to be there still: it is not new when it is seen
// again.
func (m *Memory) New(r Report) (found []Finding, first bool) {
	known, blind := map[string]bool{}, map[string]bool{}
	for _, f := range r.Findings {
		switch {
		case f.Severity == NotKnown:
			blind[f.Check] = true
		case f.Counts():
			known[f.Key()] = true
			if !m.known[f.Key()] {
				found = append(found, f)
			}
		}
	}
	for key := range m.known {
		if blind[checkOf(key)] {
			known[key] = true
		}
	}
	first = m.known == nil
	m.known = known
	return found, first
}
