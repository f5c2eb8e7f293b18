package main

import "testing"

func TestThePartsTogetherAreAllBugsOnceEach(t *testing.T) {
	planted := map[string]int{}
	for _, text := range []string{"1/3", "2/3", "3/3"} {
		var p part
		if err := p.Set(text); err != nil {
			t.Fatal(err)
		}
		for _, b := range p.share(bugs()) {
			planted[b.name]++
		}
	}
	for _, b := range bugs() {
		if planted[b.name] != 1 {
			t.Errorf("%s is planted %d times", b.name, planted[b.name])
		}
	}
}

func TestAPartThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{"", "2", "0/3", "4/3", "x/3"} {
		var p part
		if err := p.Set(text); err == nil {
			t.Errorf("%q is taken for part %s", text, &p)
		}
	}
}
