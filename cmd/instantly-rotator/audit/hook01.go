package audit

import (
	"errors"
	"net"
)

func hook01() Check {
	return Check{
		ID: "HOOK-01", Title: "Every webhook has a secret, encrypts it, and goes to a host that there is",
		Why:   "Nothing signs an event: without a secret anybody can send one, and a host that nobody owns anybody can register.",
		judge: openHooks,
	}
}

const (
	authenticate = "set a header such as X-Webhook-Secret at the webhook in Instantly, have the receiver refuse what lacks it, " +
		"and have the secret kept fresh: webhook_secrets"
	setAgain = "instantly-rotator rotate --due TARGET, which sets the header HEADER; have the receiver refuse what lacks it"
)

func openHooks(f *Facts) []Finding {
	return f.eachHook(func(w *Workspace, h *Webhook) []Finding {
		var all []Finding
		if !h.Secret {
			all = append(all, h.finding(w, High, "its events carry no secret: "+h.Origin, h.remedy(setAgain, authenticate)))
		}
		if h.Plain {
			all = append(all, h.finding(w, High, "its events and its secret can be read on the way: "+h.Origin, "give it an address that begins with https"))
		}
		var dns *net.DNSError
		switch {
		case h.Host == nil:
		case errors.As(h.Host, &dns) && dns.IsNotFound:
			all = append(all, h.finding(w, Medium, "its host is not known: "+h.Origin, "delete the webhook in Instantly, or give it the address that is right"))
		default:
			all = append(all, h.finding(w, NotKnown, "is its host there? "+h.Host.Error(), ""))
		}
		return all
	})
}
