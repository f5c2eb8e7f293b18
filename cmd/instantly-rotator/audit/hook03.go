package audit

import (
	"fmt"
	"net/http"
)

func hook03() Check {
	return Check{
		ID: "HOOK-03", Title: "Receivers of webhooks refuse what does not have the secret",
		Why:   "A secret that the receiver does not look at keeps nobody out.",
		judge: credulous,
		unless: func(f *Facts) string {
			if !f.Probed {
				return "--probe-webhooks, which sends two requests to each receiver"
			}
			return ""
		},
	}
}

// credulous judges what receivers said to requests that are not Instantly's. A webhook
// without a secret is told by another check.
func credulous(f *Facts) []Finding {
	return f.eachHook(func(w *Workspace, h *Webhook) []Finding {
		if !h.Secret {
			return nil
		}
		var all []Finding
		for _, one := range []struct {
			what   string
			answer Known[int]
		}{{"without a secret", h.Unsigned}, {"with a wrong secret", h.Wrong}} {
			switch status, err := one.answer.Get(); {
			case err != nil:
				all = append(all, h.finding(w, NotKnown, "does its receiver refuse a request "+one.what+"? "+err.Error(), ""))
			case status >= http.StatusOK && status < http.StatusMultipleChoices:
				all = append(all, h.finding(w, High, fmt.Sprintf("its receiver takes a request %s (%d): %s", one.what, status, h.Origin), h.remedy("have the receiver compare the header HEADER with both values of instantly-rotator get --all TARGET, in constant time, and answer 401",
					"have the receiver compare the header, in constant time, and answer 401")))
			case status < http.StatusBadRequest || status >= http.StatusInternalServerError || status == http.StatusNotFound || status == http.StatusTooManyRequests:
				all = append(all, h.finding(w, NotKnown, fmt.Sprintf("does its receiver refuse a request %s? it answers %d", one.what, status), ""))
			}
		}
		return all
	})
}
