package sandbox

import (
	"maps"
	"strconv"
	"time"
)

// spending counts a workspace's calls in the running second and minute. The
// vendor does not say how its windows are cut; these are the clock's.
type spending struct {
	second, minute     int64 // since the epoch
	inSecond, inMinute int
}

// spend counts one call and tells whether both limits allow it.
func (s *spending) spend(now time.Time, limit RateLimit) bool {
	if second := now.Unix(); second != s.second {
		s.second, s.inSecond = second, 0
	}
	if minute := now.Unix() / 60; minute != s.minute {
		s.minute, s.inMinute = minute, 0
	}
	s.inSecond++
	s.inMinute++
	return within(s.inSecond, limit.PerSecond) && within(s.inMinute, limit.PerMinute)
}

func within(count, limit int) bool { return limit < 0 || count <= limit }

// headers adds what is left of the minute to those of an answer.
func (s *spending) headers(given map[string]string, limit RateLimit) map[string]string {
	all := map[string]string{
		"X-Ratelimit-Limit":     strconv.Itoa(limit.PerMinute),
		"X-Ratelimit-Remaining": strconv.Itoa(max(0, limit.PerMinute-s.inMinute)),
	}
	maps.Copy(all, given)
	return all
}
