package instantly

import "strconv"

// Activity is what an audit log entry is about. The vendor adds numbers now and
// then, and leaves some unpublished (13 to 17 and 39): expect others than these.
// 0 is one that could not be read.
type Activity int

// The activities that the vendor's OpenAPI file names. None is about members.
const (
	UserLogin            Activity = 1
	LeadsDeleted         Activity = 2
	CampaignDeleted      Activity = 3
	CampaignLaunched     Activity = 4
	CampaignPaused       Activity = 5
	AccountAdded         Activity = 6
	AccountDeleted       Activity = 7
	LeadMoved            Activity = 8
	LeadAdded            Activity = 9
	LeadMerged           Activity = 10
	CampaignUpdated      Activity = 11
	SubsequenceUpdated   Activity = 12
	WebhookCreated       Activity = 18
	WebhookUpdated       Activity = 19
	WebhookFailed        Activity = 20
	WebhookResumed       Activity = 21
	TOTPEnrolling        Activity = 22
	TOTPEnabled          Activity = 23
	TOTPReplacing        Activity = 24
	TOTPReplaced         Activity = 25
	TOTPDisabled         Activity = 26
	RecoveryCodesMade    Activity = 27
	RecoveryCodeUsed     Activity = 28
	MFAFailed            Activity = 29
	MFALocked            Activity = 30
	MFASucceeded         Activity = 31
	ImportStarted        Activity = 32
	ImportCancelled      Activity = 33
	LeadsExported        Activity = 34
	EnrichmentCreated    Activity = 35
	AccountUpdated       Activity = 36
	KeyCreated           Activity = 37
	KeyDeleted           Activity = 38
	DomainForwardUpdated Activity = 40
)

// String gives the vendor's name of the activity; "activity 39" where none is published.
func (a Activity) String() string {
	if name, published := activityNames()[a]; published {
		return name
	}
	return "activity " + strconv.Itoa(int(a))
}

func activityNames() map[Activity]string {
	return map[Activity]string{
		UserLogin:            "User login",
		LeadsDeleted:         "Lead deletion",
		CampaignDeleted:      "Campaign deletion",
		CampaignLaunched:     "Campaign launch",
		CampaignPaused:       "Campaign pause",
		AccountAdded:         "Account addition",
		AccountDeleted:       "Account deletion",
		LeadMoved:            "Lead moved",
		LeadAdded:            "Lead added",
		LeadMerged:           "Lead merged",
		CampaignUpdated:      "Campaign update",
		SubsequenceUpdated:   "Subsequence update",
		WebhookCreated:       "Webhook created",
		WebhookUpdated:       "Webhook updated",
		WebhookFailed:        "Webhook marked as error",
		WebhookResumed:       "Webhook resumed",
		TOTPEnrolling:        "TOTP enrollment started",
		TOTPEnabled:          "TOTP enabled",
		TOTPReplacing:        "TOTP replacement started",
		TOTPReplaced:         "TOTP replaced",
		TOTPDisabled:         "TOTP disabled",
		RecoveryCodesMade:    "MFA recovery codes generated",
		RecoveryCodeUsed:     "MFA recovery code used",
		MFAFailed:            "MFA login challenge failed",
		MFALocked:            "MFA login challenge failed too many times",
		MFASucceeded:         "MFA login succeeded",
		ImportStarted:        "Subscriber import started",
		ImportCancelled:      "Subscriber import cancelled",
		LeadsExported:        "Lead exported",
		EnrichmentCreated:    "SuperSearch enrichment created",
		AccountUpdated:       "Account update",
		KeyCreated:           "API key created",
		KeyDeleted:           "API key deleted",
		DomainForwardUpdated: "Domain forwarding updated",
	}
}
