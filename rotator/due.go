package rotator

import "time"

// NextDue tells when a key that became current at that time falls due, and why; the zero
// time if never. It is what runs go by.
func NextDue(p Policy, target string, since time.Time) (at time.Time, reason string) {
	return nextDue(p, target, since)
}
