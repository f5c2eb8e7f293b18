package audit

import (
	"fmt"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/humantime"
	"github.com/instantly-rotator/instantly-rotator/instantly"
)

func hook02() Check {
	return Check{
		ID: "HOOK-02", Title: "Webhooks work, and their receivers take what they get",
		Why:   "Events that are refused are lost; a receiver that has another secret refuses all of them.",
		judge: failedHooks,
	}
}

func failedHooks(f *Facts) []Finding {
	all := f.eachHook(func(w *Workspace, h *Webhook) []Finding {
		var all []Finding
		switch h.Status {
		case instantly.WebhookActive:
		case instantly.WebhookDisabled:
			since := ""
			if !h.Failed.IsZero() {
				since = " since " + humantime.Stamp(h.Failed)
			}
			all = append(all, h.finding(w, Medium, "it is disabled"+since+", after deliveries that failed: "+h.Origin, h.remedy("mend the receiver, then instantly-rotator rotate --due TARGET, which resumes the webhook if its secret was refused; else resume it in Instantly",
				"mend the receiver, then resume the webhook in Instantly; or delete it if nobody needs it")))
		default:
			all = append(all, h.finding(w, NotKnown, "Instantly does not say whether it works", ""))
		}
		if h.Refused > 0 {
			all = append(all, h.finding(w, Medium, fmt.Sprintf("its receiver refused %s (401 or 403), the last at %s: it has another secret", humantime.Count(h.Refused, "delivery attempt"), humantime.Stamp(h.Last)),
				h.remedy("let the receiver read both values in the store: instantly-rotator get --all TARGET; whether the webhook sends one of them: instantly-rotator verify TARGET",
					"let the receiver have the secret that the webhook's header has; webhook_secrets keeps the two together")))
		}
		return all
	})
	for i := range f.Workspaces {
		w := &f.Workspaces[i]
		if _, err := w.Deliveries.Get(); err != nil {
			all = append(all, w.unreadable("the deliveries of its webhooks", "webhook_events:read", err))
		}
	}
	return all
}
