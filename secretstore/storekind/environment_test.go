package storekind_test

import (
	"errors"
	"testing"

	"github.com/instantly-rotator/instantly-rotator/secretstore/storekind"
)

type (
	account string
	cluster string
)

// connection counts how often it was closed.
type connection struct{ closed *int }

func (c connection) Close() error { *c.closed++; return nil }

func TestStoresOfOneAccountShareAConnectionThatIsClosedOnce(t *testing.T) {
	env, made, closed := &storekind.Environment{}, 0, 0
	connect := func() (connection, error) { made++; return connection{&closed}, nil }
	for range 3 {
		if _, err := storekind.Share(env, account("a"), connect); err != nil {
			t.Fatal(err)
		}
	}
	if made != 1 {
		t.Errorf("%d connections", made)
	}
	for range 2 {
		if err := env.Close(); err != nil || closed != 1 {
			t.Errorf("closed %d times, %v", closed, err)
		}
	}
}

func TestKeysOfTwoPackagesAreNeverTheSame(t *testing.T) {
	env := &storekind.Environment{}
	one, _ := storekind.Share(env, account("a"), func() (int, error) { return 1, nil })
	two, _ := storekind.Share(env, cluster("a"), func() (int, error) { return 2, nil })
	if one != 1 || two != 2 {
		t.Errorf("got %d and %d", one, two)
	}
}

func TestAConnectionThatFailedIsNotTriedAgain(t *testing.T) {
	env, tries, reason := &storekind.Environment{}, 0, errors.New("no credentials")
	for range 3 {
		_, err := storekind.Share(env, account("a"), func() (connection, error) { tries++; return connection{}, reason })
		if !errors.Is(err, reason) || tries != 1 {
			t.Errorf("try %d: %v", tries, err)
		}
	}
	if err := env.Close(); err != nil {
		t.Error(err)
	}
}
