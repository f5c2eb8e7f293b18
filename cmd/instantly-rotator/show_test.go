package main

import "testing"

func TestShortIDKeepsWhatTellsKeysApart(t *testing.T) {
	for id, want := range map[string]string{
		"":                                     "-",
		"short":                                "short",
		"thirteenchars":                        "thirteenchars",
		"01a2003d-6220-704f-bfa3-602ff22b657a": "01a2003d…657a",
		"01a2003d-6220-704f-bfa3-602ff22b657b": "01a2003d…657b",
	} {
		if got := shortID(id); got != want {
			t.Errorf("shortID(%q) is %q, want %q", id, got, want)
		}
	}
}
