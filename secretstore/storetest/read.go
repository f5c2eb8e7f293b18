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

func checkReadEveryStage(d *desk) {
	d.rotate(idA, idB)
	d.stage(idC)
	d.wantHeld(idC, idB, idA)
	for _, id := range []string{idA, idB, idC} {
		d.wantValue(id, valueOf(id))
	}
}

func checkReadUnknown(d *desk) {
	d.wantNoValue(idA)
	d.rotate(idA)
	d.wantNoValue(idB)
	d.stage(idB)
	d.destroy(idB)
	d.wantNoValue(idB)
}

// checkValuesExact keeps to valid UTF-8: AWS's SecretString is text.
func checkValuesExact(d *desk) {
	for _, text := range []string{
		"x", " spaces around ", "\nnewlines\r\nwithin\n\n", "\ttab\t", "Schlüssel 鍵 🔑", "\ufeffbyte order mark",
		`{"json": "<&>\u0000"}`, `"quoted"`, `back\slash`, "c29tZSBiYXNlNjQ=", "%s %d %%", "e\u0301 not composed",
	} {
		d.stageValue(idA, secret.New(text))
		d.wantValue(idA, secret.New(text))
		d.destroy(idA)
	}
}

// checkLargeValue goes to the size that both AWS and GCP allow.
func checkLargeValue(d *desk) {
	value := secret.New(strings.Repeat("0123456789abcdef", 64*1024/16))
	d.stageValue(idA, value)
	d.wantValue(idA, value)
	d.promote(idA)
	d.wantValue(idA, value)
}
