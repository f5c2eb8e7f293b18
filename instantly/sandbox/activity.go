package sandbox

// Activity types of the audit log that the sandbox writes by itself (OpenAPI file).
const (
	activityLogin          = 1
	activityWebhookCreated = 18
	activityWebhookUpdated = 19
	activityWebhookFailed  = 20
	activityWebhookResumed = 21
	activityKeyCreated     = 37
	activityKeyDeleted     = 38
)

// activityText is how the log calls an activity: the names of the OpenAPI file, in
// lower case; empty for what it does not name.
func activityText(activity int) string {
	return map[int]string{
		1: "user login", 2: "lead deletion", 3: "campaign deletion", 4: "campaign launch", 5: "campaign pause",
		6: "account addition", 7: "account deletion", 8: "lead moved", 9: "lead added", 10: "lead merged",
		11: "campaign update", 12: "subsequence update", 18: "webhook created", 19: "webhook updated",
		20: "webhook marked as error", 21: "webhook resumed", 22: "totp enrollment started", 23: "totp enabled",
		24: "totp replacement started", 25: "totp replaced", 26: "totp disabled", 27: "mfa recovery codes generated",
		28: "mfa recovery code used", 29: "mfa login challenge failed", 30: "mfa login challenge failed too many times",
		31: "mfa login succeeded", 32: "subscriber import started", 33: "subscriber import cancelled",
		34: "lead exported", 35: "supersearch enrichment created", 36: "account update",
		37: "api key created", 38: "api key deleted",
	}[activity]
}
