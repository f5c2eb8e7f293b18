package config

import (
	"fmt"
	"math"
	"time"
)

// durationPattern is what durations look like: numbers with units, no sign.
const durationPattern = `^([0-9]+(\.[0-9]+)?(w|d|h|m|s|ms))+$`

// ParseDuration reads a length of time in Go's form, such as "1h30m", with d
// for days of 24 hours and w for weeks of 7 days. No sign; the units are w, d,
// h, m, s and ms; at most about 292 years.
func ParseDuration(s string) (time.Duration, error) {
	bad := "bad duration " + quote(s)
	switch {
	case pattern(`^[0-9]{1,6}$`).MatchString(s):
		return 0, &hinted{bad, fmt.Sprintf("write %[1]sh for hours, %[1]sm for minutes or %[1]sd for days", s)}
	case !pattern(durationPattern).MatchString(s):
		return 0, &hinted{bad, "write for example 90s, 24h, 7d or 1w12h"}
	}
	var total time.Duration
	for _, part := range pattern(`([0-9.]+)([a-z]+)`).FindAllStringSubmatch(s, -1) {
		d, ok := parsePart(part[1], part[2])
		if !ok || total > math.MaxInt64-d {
			return 0, &hinted{bad, "that is too long"}
		}
		total += d
	}
	return total, nil
}

// parsePart reads one number with its unit; ok is false if it is too large.
func parsePart(number, unit string) (d time.Duration, ok bool) {
	days := time.Duration(1)
	switch unit {
	case "w":
		unit, days = "h", 7*24
	case "d":
		unit, days = "h", 24
	}
	d, err := time.ParseDuration(number + unit)
	if err != nil || d > math.MaxInt64/days {
		return 0, false
	}
	return d * days, true
}

// formatDuration gives the shortest form that [ParseDuration] reads back, in at
// most two units: "24h" and "7d" rather than "24h0m0s" and "168h0m0s".
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	default:
		return d.String()
	}
}
