package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
)

// The part of the Static Analysis Results Interchange Format, version 2.1.0, that code
// scanners read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID   string    `json:"id"`
		What sarifText `json:"shortDescription"`
		Why  sarifText `json:"fullDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home        = "https://github.com/instantly-rotator/instantly-rotator"
)

// Sarif gives the report as code scanners read it. What is in no file is placed in the
// configuration's: a result without a place is shown by none of them.
func (r Report) Sarif(version, config string) any {
	driver := sarifDriver{Name: "instantly-rotator", Version: version, InformationURI: home}
	index := map[string]int{}
	for i, c := range r.Checks {
		index[c.ID] = i
		driver.Rules = append(driver.Rules, sarifRule{c.ID, sarifText{c.Title}, sarifText{c.Why}})
	}
	run := sarifRun{Tool: sarifTool{driver}, Results: []sarifResult{}}
	for _, f := range r.Findings {
		run.Results = append(run.Results, r.sarifResult(f, index[f.Check], config))
	}
	return sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}
}

func (r Report) sarifResult(f Finding, rule int, config string) sarifResult {
	at := sarifPhysical{Artifact: sarifArtifact{address(config)}}
	if f.File != "" && r.Scanned != nil {
		at.Artifact.URI = address(filepath.Join(r.Scanned.Dir, f.File))
		if f.Line > 0 {
			at.Region = &sarifRegion{f.Line}
		}
	}
	text := f.Subject + ": " + f.Text
	if f.Remedy != "" {
		text += ". To do: " + f.Remedy
	}
	sum := sha256.Sum256([]byte(f.Key()))
	kind, level := sarifLevel(f.Severity)
	result := sarifResult{RuleID: f.Check, RuleIndex: rule, Kind: kind, Level: level, Message: sarifText{text},
		Locations: []sarifLocation{{at}}, Fingerprints: map[string]string{"finding/v1": hex.EncodeToString(sum[:])}, Suppressions: []sarifSuppression{}}
	if f.Accepted != nil {
		result.Suppressions = append(result.Suppressions, sarifSuppression{"external", f.Accepted.Reason})
	}
	return result
}

// sarifLevel: what is no failure has no level, by the standard.
func sarifLevel(s Severity) (kind, level string) {
	switch s {
	case High:
		return "fail", "error"
	case Medium:
		return "fail", "warning"
	case Low:
		return "fail", "note"
	case NotKnown:
		return "open", "none"
	default:
		return "informational", "none"
	}
}

// address writes a path as a URI: relative ones from where the program was started.
func address(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}
