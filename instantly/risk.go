package instantly

// Risk grades what a stolen key could do.
type Risk int

const (
	// Low: reads named resources.
	Low Risk = iota
	// Medium: changes things of one resource.
	Medium
	// High: may do anything to a resource, or changes several.
	High
	// Critical: reaches every resource, or API keys themselves: whether a key can
	// create one with more scopes than its own is not documented, so it is taken
	// to be the workspace's root. Reading keys counts too: lists may show values.
	Critical
)

// String gives the risk in lower case.
func (r Risk) String() string {
	switch r {
	case Low:
		return "low"
	case Medium:
		return "medium"
	case High:
		return "high"
	default:
		return "critical"
	}
}

// RiskOf grades a set of scopes. Scopes that the vendor's list lacks are graded
// by their words: "read" reads, any other action changes. What is not of the
// form resource:action cannot be judged: Critical.
func RiskOf(scopes []string) Risk {
	risk := Low
	changed := map[string]bool{}
	for _, text := range scopes {
		s, err := ParseScope(text)
		switch {
		case err != nil, s.Resource == "all", s.Resource == "api_keys":
			return Critical
		case s.Action == "all":
			risk = High
		case s.Action != "read":
			changed[s.Resource] = true
		}
	}
	switch {
	case len(changed) > 1:
		return High
	case len(changed) == 1:
		return max(risk, Medium)
	default:
		return risk
	}
}
