package doctor

import (
	"errors"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// webhookSecrets judges what webhooks send. What is in the way of reading it, or of writing
// the stores, other checks say.
func webhookSecrets(f Facts) []Finding {
	var all []Finding
	for _, s := range f.Senders {
		ofSenders := errors.Is(s.Replaced, rotator.ErrByHand) || errors.Is(s.Replaced, rotator.ErrHidden) || errors.Is(s.Replaced, rotator.ErrNoSender)
		if s.Replaced != nil && !ofSenders && !errors.Is(s.Replaced, ErrNotAnswered) {
			all = append(all, follows(s.Target))
			continue
		}
		all = append(all, judged(s.Target, s.Target, s.Replaced))
	}
	return all
}
