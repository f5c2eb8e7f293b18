package doctor

import (
	"strings"

	"github.com/instantly-rotator/instantly-rotator/instantly"
)

// probeMark is in the names of the keys that a probe makes, between the owner and a
// nonce. With a space it is no name of a rotation's key, which nobody sweeps by it.
const probeMark = " doctor-probe "

// LeftOver are the keys of a probe that are alive.
func LeftOver(keys []instantly.Key, owner string) []instantly.Key {
	var left []instantly.Key
	for _, k := range keys {
		if strings.HasPrefix(k.Name, owner+probeMark) {
			left = append(left, k)
		}
	}
	return left
}
