package gcpsecretmanager_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/gcpsecretmanager"
)

func TestGCPNamesASecretByItsResource(t *testing.T) {
	for _, c := range []struct {
		project, location, secret, called string
		want                              bool
	}{
		{"growth", "", "sending", "projects/growth/secrets/sending", true},
		{"growth", "", "sending", "projects/123456/secrets/sending", true},
		{"123456", "", "sending", "projects/growth/secrets/sending", true},
		{"growth", "europe-west3", "sending", "projects/123456/locations/europe-west3/secrets/sending", true},
		{"growth", "", "sending", "projects/123456/locations/europe-west3/secrets/sending", false},
		{"growth", "", "sending", "projects/sales/secrets/sending", false},
		{"123456", "", "sending", "projects/654321/secrets/sending", false},
		{"growth", "", "sending", "projects/growth/secrets/sending/versions/1", false},
		{"growth", "", "sending", "sending", false},
	} {
		s := &gcpsecretmanager.Settings{Project: c.project, Site: gcpsecretmanager.Site{Location: c.location}}
		if got := s.IsSecret(c.secret, c.called); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
