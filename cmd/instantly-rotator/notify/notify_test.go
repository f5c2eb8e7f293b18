package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/instantly-rotator/instantly-rotator/cmd/instantly-rotator/notify"
	"github.com/instantly-rotator/instantly-rotator/secretstore/secret"
)

// In synctest's bubble the clock stands at the first of January 2000 and runs
// when everybody waits.

func TestMessageSaysWhatWhereAndWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		n.Send(failed("sending"))
		n.Send(notify.Message{Kind: notify.Unable, Text: "the configuration cannot be read"})
		synctest.Wait()
		wantTold(t, d,
			"rotator: sending: failed: no admin key (workspace main, 2000-01-01 00:00Z)",
			"rotator: unable to act: the configuration cannot be read (2000-01-01 00:00Z)")
		closeNow(t, n)
	})
}

func TestRepetitionsWithinAnHourAreToldAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		for range 4 {
			n.Send(failed("sending"))
			time.Sleep(10 * time.Minute)
		}
		wantTold(t, d, "rotator: sending: failed: no admin key (workspace main, 2000-01-01 00:00Z)")
		time.Sleep(20*time.Minute + time.Second)
		wantTold(t, d, "rotator: sending: failed: no admin key (workspace main, 2000-01-01 00:30Z, 3 more since 2000-01-01 00:00Z)")

		time.Sleep(2 * time.Hour)
		n.Send(failed("sending"))
		synctest.Wait()
		wantTold(t, d, "rotator: sending: failed: no admin key (workspace main, 2000-01-01 03:00Z)")
		wantCounts(t, d, map[notify.Result]int{notify.Sent: 3, notify.Folded: 3})
		closeNow(t, n)
	})
}

func TestMessagesOfOtherTargetsAndKindsAreNotFolded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		n.Send(failed("sending"))
		n.Send(failed("reporting"))
		n.Send(notify.Message{Kind: notify.NeedsPerson, Target: "sending", Workspace: "main", Text: "a gate is open"})
		synctest.Wait()
		wantTold(t, d, "rotator: sending: failed", "rotator: reporting: failed", "rotator: sending: needs a person")
		closeNow(t, n)
	})
}

func TestAReceiverIsToldOfTwentyThingsInTenMinutesAndOfTheNumberOfTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		for i := range 32 {
			n.Send(failed(fmt.Sprintf("key-%d", i)))
			synctest.Wait()
		}
		if got := d.told(); len(got) != 20 {
			t.Errorf("told %d things at once, want 20", len(got))
		}
		time.Sleep(10*time.Minute - time.Second)
		wantTold(t, d)
		time.Sleep(2 * time.Second)
		wantTold(t, d, "rotator: and 12 more (12 failed), see instantly-rotator status")
		wantCounts(t, d, map[notify.Result]int{notify.Sent: 21, notify.Dropped: 12})
		closeNow(t, n)
	})
}

func TestNoTenMinutesHaveMoreThanTwentyMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		var sent []time.Time
		for i := range 400 {
			n.Send(failed(fmt.Sprintf("key-%d", i)))
			time.Sleep(7 * time.Second)
			for range d.told() {
				sent = append(sent, time.Now())
			}
		}
		for i := 20; i < len(sent); i++ {
			if apart := sent[i].Sub(sent[i-20]); apart < 10*time.Minute-7*time.Second {
				t.Fatalf("messages %d and %d are %s apart", i-20, i, apart)
			}
		}
		if len(sent) < 80 {
			t.Errorf("only %d messages in 46 minutes", len(sent))
		}
		closeNow(t, n)
	})
}

func TestSuccessesDoNotCrowdOutFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		for i := range 500 {
			n.Send(notify.Message{Kind: notify.Rotated, Target: fmt.Sprintf("key-%d", i)})
			synctest.Wait()
		}
		if got := d.told(); len(got) != 10 {
			t.Errorf("told %d times that a key was rotated, want 10", len(got))
		}
		n.Send(failed("sending"))
		synctest.Wait()
		wantTold(t, d, "rotator: sending: failed: no admin key (workspace main, 2000-01-01 00:00Z)\nand 490 more (490 rotated), see instantly-rotator status")
		closeNow(t, n)
	})
}

func TestHangingReceiverDoesNotHoldUpSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{hangs: true}
		n := d.open()
		begun := time.Now()
		for i := range 10_000 {
			n.Send(failed(fmt.Sprintf("key-%d", i)))
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("Send waited %s", took)
		}
		synctest.Wait()
		// One is on its way, a hundred wait.
		if got := d.counts()[notify.Dropped]; got < 9_899 || got > 9_900 {
			t.Errorf("%d dropped", got)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err := n.Close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("Close: %v after %s", err, time.Since(begun))
		}
		total := 0
		for _, c := range d.counts() {
			total += c
		}
		if total != 10_000 {
			t.Errorf("%d outcomes of 10000 messages", total)
		}
	})
}

func TestFailedMessageIsTriedAgainThenCountedInTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{down: true}
		n := d.open()
		n.Send(failed("first"))
		time.Sleep(time.Hour)
		if n := d.tried(); n != 4 {
			t.Errorf("%d attempts, want 4", n)
		}
		d.is(false, false)
		n.Send(failed("second"))
		synctest.Wait()
		wantTold(t, d, "rotator: second: failed: no admin key (workspace main, 2000-01-01 01:00Z)\nand 1 more (1 failed), see instantly-rotator status")
		wantCounts(t, d, map[notify.Result]int{notify.Sent: 1, notify.Undelivered: 1})
		closeNow(t, n)
	})
}

func TestShortOutageOfAReceiverLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{down: true}
		n := d.open()
		n.Send(failed("first"))
		n.Send(failed("second"))
		time.Sleep(3 * time.Second)
		d.is(false, false)
		time.Sleep(time.Minute)
		wantTold(t, d, "rotator: first: failed", "rotator: second: failed")
		closeNow(t, n)
	})
}

func TestCloseSendsWhatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		for i := range 22 {
			n.Send(failed(fmt.Sprintf("key-%d", i)))
			synctest.Wait()
		}
		closeNow(t, n)
		if got := d.told(); len(got) != 21 || got[20] != "rotator: and 2 more (2 failed), see instantly-rotator status" {
			t.Errorf("told %d things: %q", len(got), got)
		}
		n.Send(failed("late"))
		wantTold(t, d)
		wantCounts(t, d, map[notify.Result]int{notify.Sent: 21, notify.Dropped: 3})
	})
}

func TestCloseTellsOfFoldedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		n.Send(failed("sending"))
		n.Send(failed("sending"))
		closeNow(t, n)
		got := d.told()
		if len(got) != 2 || !strings.Contains(got[1], "1 more since 2000-01-01 00:00Z") {
			t.Errorf("told %q", got)
		}
	})
}

func TestReceiverGetsWhatItAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // two receivers are told at once
		told := map[string][]string{}
		receiver := func(name string, on ...notify.Kind) notify.Receiver {
			return notify.Receiver{Name: name, On: on, URL: func(context.Context) (secret.Value, error) { return secret.New(name), nil }}
		}
		n := notify.New(notify.Options{
			From:      "rotator",
			Receivers: []notify.Receiver{receiver("all", notify.Kinds()...), receiver("alarms", notify.Alarms()...)},
			Open: func() notify.Delivery {
				return func(_ context.Context, url secret.Value, subject, _ string) error {
					mu.Lock()
					defer mu.Unlock()
					told[url.Reveal()] = append(told[url.Reveal()], subject)
					return nil
				}
			},
		})
		for _, kind := range notify.Kinds() {
			n.Send(notify.Message{Kind: kind})
			synctest.Wait()
		}
		closeNow(t, n)
		if len(told["all"]) != 5 || len(told["alarms"]) != 4 {
			t.Errorf("told %v", told)
		}
	})
}

func TestURLIsReadAnewForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, missing := &memoryReceiver{}, errors.New("file not there")
		reads := 0
		n := notify.New(notify.Options{
			From: "rotator", Observe: d.observe, Open: func() notify.Delivery { return d.deliver },
			Receivers: []notify.Receiver{{Name: "ops", On: notify.Kinds(), URL: func(context.Context) (secret.Value, error) {
				if reads++; reads <= 5 {
					return secret.Value{}, missing
				}
				return secret.New("memory:"), nil
			}}},
		})
		n.Send(failed("first"))
		n.Send(failed("second"))
		time.Sleep(time.Hour)
		wantTold(t, d, "rotator: second: failed")
		if o := d.outcomes[0]; !errors.Is(o.Err, notify.ErrNoURL) || !errors.Is(o.Err, missing) || o.Receiver != "ops" || o.Kind != notify.Failed {
			t.Errorf("outcome %+v", o)
		}
		closeNow(t, n)
	})
}

func TestTextCannotBeMoreThanText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &memoryReceiver{}
		n := d.open()
		n.Send(notify.Message{Kind: notify.Failed, Target: "sending", Text: fmt.Sprintf("said <!channel>\r\nBcc: a@b %v %+v", secret.New("hunter2"), []any{secret.New("hunter2")})})
		n.Send(notify.Message{Kind: notify.TooOld, Target: "sending", Text: strings.Repeat("é", 10_000)})
		synctest.Wait()
		got := d.told()
		if want := "rotator: sending: failed: said ‹!channel›  Bcc: a＠b [redacted] [[redacted]] (2000-01-01 00:00Z)"; got[0] != want {
			t.Errorf("told %q, want %q", got[0], want)
		}
		if len([]rune(got[1])) > 800 {
			t.Errorf("%d characters", len([]rune(got[1])))
		}
		closeNow(t, n)
	})
}
