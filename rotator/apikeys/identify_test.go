package apikeys_test

import (
	"testing"

	"github.com/instantly-rotator/instantly-rotator/instantly"
	"github.com/instantly-rotator/instantly-rotator/instantly/sandbox"
	"github.com/instantly-rotator/instantly-rotator/rotator/apikeys"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

func TestAValueIsIdentifiedByTheListOrByWhatItMayDo(t *testing.T) {
	box := sandbox.New(sandbox.Options{})
	space := box.Workspaces()[0]
	client, err := instantly.NewClient(instantly.Options{AdminKey: space.AdminKey, Pacer: instantly.NewPacer(1000), Transport: sandbox.Transport(box)})
	if err != nil {
		t.Fatal(err)
	}
	issuer := apikeys.New(client)
	narrow, errNarrow := box.AddKey(space.ID, "narrow", "leads:update", "campaigns:read")
	wide, errWide := box.AddKey(space.ID, "wide", "all:all")
	if errNarrow != nil || errWide != nil {
		t.Fatal(errNarrow, errWide)
	}
	for form, id := range map[sandbox.KeyForm]string{sandbox.KeyFull: narrow.ID, sandbox.KeyMasked: "", sandbox.KeyEmpty: ""} {
		f := box.Faults()
		f.ListKey = form
		box.SetFaults(f)
		told, err := issuer.Identify(t.Context(), []secret.Value{narrow.Value, wide.Value, secret.New("no key")})
		if err != nil {
			t.Fatal(err)
		}
		if got := told[0]; got.KeyID != id || !got.Attested || got.Spec != apikeys.SpecOf([]string{"campaigns:read", "leads:update"}) {
			t.Errorf("%s: the narrow key is %+v", form, got)
		}
		if got := told[1]; got.Attested {
			t.Errorf("%s: nothing refuses the wide key, and it is %+v", form, got)
		}
		if got := told[2]; got.KeyID != "" || got.Attested {
			t.Errorf("%s: no key is %+v", form, got)
		}
	}
}

func TestSpecsAreTheSameInWhicheverFormTheyAreWritten(t *testing.T) {
	var issuer apikeys.Issuer
	if !issuer.SameSpec("leads:all,leads:read", "leads:all") || issuer.SameSpec("leads:read", "leads:all") || issuer.SameSpec("leads:all", "leads:read") {
		t.Error("scopes that allow the same are not the same, or others are")
	}
}
