package audit

import (
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/config"
	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
)

func key06() Check {
	return Check{
		ID: "KEY-06", Title: "Keys are rotated at least quarterly, and an old key ends before the next rotation",
		Why:   "The longer a key lives, the more people and logs have seen it.",
		judge: rarely,
	}
}

// rarely judges the schedules.
func rarely(f *Facts) []Finding {
	return f.eachTarget(func(t *Target) []Finding {
		var all []Finding
		if config.Never(t.Schedule) {
			return append(all, t.finding(Low, "it is rotated only when asked (schedule: never): whether something asks at least quarterly is not known here; its max_age is "+humantime.Span(t.MaxAge),
				"see that the secret manager's rotation is enabled, and answer for it under audit: {accept: …}"))
		}
		shortest, longest := config.ScheduleGaps(t.Schedule)
		if least := min(longest, t.MaxAge); least > quarter+day {
			all = append(all, t.finding(Medium, "its key may become "+humantime.Span(least)+" old: schedule and max_age want it rotated more rarely than quarterly", `write schedule: "@quarterly" below it`))
		} else if t.MaxAge > year {
			all = append(all, t.finding(Low, "its max_age is "+humantime.Span(t.MaxAge)+": a rotation that is missed is not noticed", "write max_age: 120d below it"))
		}
		if t.Grace >= shortest {
			all = append(all, t.finding(Medium, "its grace period of "+humantime.Span(t.Grace)+" is no shorter than the time between two rotations, "+humantime.Span(shortest), "shorten grace_period, or schedule less often"))
		}
		return all
	})
}
