package storetest

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func readClaims() []claim {
	return []claim{
		{"Read gives the value at every stage", checkReadEveryStage},
		{"Read of a version that is not held is not found", checkReadUnknown},
		{"Values come back byte for byte", checkValuesExact},
		{"A value of 64 KiB comes back whole", checkLargeValue},
	}
}

func checkReadEveryStage(tr *trial) {
	tr.rotate(idA, idB)
	tr.stage(idC)
	tr.wantHeld(idC, idB, idA)
	for _, id := range []string{idA, idB, idC} {
		tr.wantValue(id, valueOf(id))
	}
}

func checkReadUnknown(tr *trial) {
	tr.wantNoValue(idA)
	tr.rotate(idA)
	tr.wantNoValue(idB)
	tr.stage(idB)
	tr.destroy(idB)
	tr.wantNoValue(idB)
}

// checkValuesExact keeps to valid UTF-8: AWS's SecretString is text.
func checkValuesExact(tr *trial) {
	for _, text := range []string{
		"x", " spaces around ", "\nnewlines\r\nwithin\n\n", "\ttab\t", "Schlüssel 鍵 🔑", "\ufeffbyte order mark",
		`{"json": "<&>\u0000"}`, `"quoted"`, `back\slash`, "c29tZSBiYXNlNjQ=", "%s %d %%", "e\u0301 not composed",
	} {
		tr.stageValue(idA, secret.New(text))
		tr.wantValue(idA, secret.New(text))
		tr.destroy(idA)
	}
}

// checkLargeValue goes to the size that both AWS and GCP allow.
func checkLargeValue(tr *trial) {
	value := secret.New(strings.Repeat("0123456789abcdef", 64*1024/16))
	tr.stageValue(idA, value)
	tr.wantValue(idA, value)
	tr.promote(idA)
	tr.wantValue(idA, value)
}
