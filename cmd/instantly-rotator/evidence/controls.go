package evidence

import (
	"slices"
)

// Control says which controls a part of the report speaks to.
type Control struct {
	Part string `json:"part"`
	// SOC2, ISO27001 (2022, annex A) and PCI (DSS 4.0.1) name them.
	SOC2     string `json:"soc2,omitempty"`
	ISO27001 string `json:"iso27001,omitempty"`
	PCI      string `json:"pci_dss,omitempty"`
	// Says is what it shows of them.
	Says string `json:"says"`
}

// Controls lists what each part of the report speaks to. That a part speaks to a control
// does not say that the control is met: that is the auditor's to judge.
func Controls() []Control {
	return []Control{
		{"Keys", "CC6.1", "A.5.17", "8.6.3", "secrets of applications are replaced periodically, and when they are replaced the old ones end"},
		{"Late rotations", "CC6.1", "A.5.17", "8.6.3", "where the period that was set was not kept"},
		{"Incidents", "CC6.1, CC6.2", "A.5.17", "8.6.3", "secrets are replaced on suspicion, and how soon"},
		{"Exceptions", "CC6.1, CC6.3", "A.5.17, A.5.18", "8.6.3", "who went beyond the policy, and why"},
		{"Keys outside of management", "CC6.1", "A.5.16, A.5.17", "8.6.3", "secrets that no policy covers"},
		{"Audit findings", "CC6.1, CC6.3", "A.5.16, A.5.18", "", "reviews took place, and what became of findings"},
		{"Access", "CC6.2, CC6.3", "A.5.16, A.5.18", "", "who had access at both ends, and that it was taken from those who left"},
		{"The record", "CC6.1", "A.5.18", "", "the record is as it was written"},
	}
}

// speaks gives the line below the heading of a part.
func speaks(part string) string {
	i := slices.IndexFunc(Controls(), func(c Control) bool { return c.Part == part })
	if i < 0 {
		return ""
	}
	c := Controls()[i]
	text := "SOC 2 " + c.SOC2 + " · ISO 27001 " + c.ISO27001
	if c.PCI != "" {
		text += " · PCI DSS " + c.PCI
	}
	return text
}
