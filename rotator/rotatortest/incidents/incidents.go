package main

import "regexp"

// An incident is what has gone wrong, and what a person types then.
type incident struct {
	title, situation string
	before           []string // what makes it happen
	typed            string
	known            *regexp.Regexp // what is going on is said
	todo             *regexp.Regexp // what to do is said
	code             int            // of the table of exit codes
}

func incidents() []incident {
	return []incident{
		{
			title:     "A key is leaked, and revocation is slow",
			situation: "The key of `sending` is in a public repository. Instantly goes on accepting a deleted key for 20 s.",
			before:    []string{`curl -fsS -X PUT $SANDBOX/_sandbox/faults -d '{"revocation_delay": "20s"}'`},
			typed:     "instantly-rotator rotate --compromised sending --incident INC-8",
			known:     regexp.MustCompile(`issued|INC-8`),
			todo:      regexp.MustCompile(`restart`),
			code:      0,
		},
		{
			title:     "Instantly hangs",
			situation: "Every call at Instantly is answered after a minute, if at all.",
			before:    []string{`curl -fsS -X PUT $SANDBOX/_sandbox/faults -d '{"latency": "60s"}'`},
			typed:     "instantly-rotator status",
			known:     regexp.MustCompile(`asking Instantly`),
			todo:      regexp.MustCompile(`not answered|hint`),
			code:      1,
		},
		{
			title:     "The store is not mounted",
			situation: "The disk with the local store is gone since the machine was started anew.",
			before:    []string{`mv mnt away && mkdir mnt`},
			typed:     "instantly-rotator status",
			known:     regexp.MustCompile(`not there|not mounted|lost`),
			todo:      regexp.MustCompile(`hint|mount`),
			code:      1,
		},
		{
			title:     "A consumer does not move",
			situation: "`after_promote` asks whether the consumers use the new key, and the answer is no; the grace period is over.",
			before: []string{
				`sed -i 's/grace_period: 1h/grace_period: 2s\n    after_promote: [{command: [\/bin\/false]}]/' config.yaml`,
				`instantly-rotator rotate sending || true`,
				`sleep 4; instantly-rotator rotate --due || true`,
			},
			typed: "instantly-rotator status",
			known: regexp.MustCompile(`when its consumers have moved`),
			todo:  regexp.MustCompile(`hint|instantly-rotator rotate`),
			code:  1,
		},
	}
}
