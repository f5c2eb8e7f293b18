package doctor

const theTrail = "the trail"

// trailWritten judges whether what is done can be recorded, without which it is not done, unless
// it is configured to be.
func trailWritten(f Facts) []Finding {
	if f.Trail == nil {
		return nil
	}
	one := judged(theTrail, "", f.Trail.Written)
	switch {
	case one.Level == Bad && f.Trail.Warn:
		one.Level = Advice
		one.Remedy = "nothing that is done is recorded: " + letItBeWritten
	case one.Level == Bad:
		one.Remedy = "no key is rotated or given out: " + letItBeWritten
	}
	return []Finding{one}
}

const letItBeWritten = "let the user that the rotator runs as write what the message names, or change the section trail of the configuration"
