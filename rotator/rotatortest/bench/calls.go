package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/instantly-rotator/instantly-rotator/rotator"
)

// calls counts what a rotation and the end of the old key cost where nothing else
// is about: one target alone, with nothing remembered.
func calls(ctx context.Context, b *bench) error {
	for i, kind := range kinds() {
		dir, err := b.folder(false)
		if err != nil {
			return err
		}
		w, err := newWorld(ctx, kind, dir, 0)
		if err != nil {
			return err
		}
		rotation, end, err := w.life(ctx)
		w.close()
		if err != nil {
			return err
		}
		if i == 0 { // they are the same whatever the store is
			b.bill(atInstantly, rotation, end)
		}
		b.bill(kind, rotation, end)
	}
	b.say("Least: what a script without any care makes, which creates a key, puts it, tests it and deletes the old one: " +
		"3 calls at Instantly and 1 at the store. It leaves a key behind if it is killed, and consumers without one if what it put does not work.")
	b.say("AWS's rotation template (`SecretsManagerRotationTemplate` in aws-samples/aws-secrets-manager-rotation-lambdas) makes 11 calls at Secrets Manager: " +
		"DescribeSecret at the head of its four steps and once more in finishSecret, GetSecretValue twice and PutSecretValue in createSecret, GetRandomPassword " +
		"in place of creating a key, UpdateSecretVersionStage twice. setSecret and testSecret are left to the user and have to read the value: 13. " +
		"It has no grace period, deletes no old key, and finds no key whose create was never answered.")
	return nil
}

// bill prints what a service was asked for, step by step.
func (b *bench) bill(service string, rotation, end scene) {
	var rows [][]string
	made := 0
	for _, p := range []struct {
		name string
		scene
	}{{"rotation", rotation}, {"end of the old key", end}} {
		sum, least, part := 0, 0, p.rows(service)
		for _, row := range part {
			why, known := reasons()[service][p.name+"/"+row.key()]
			if !known {
				why = reason{0, "**not explained**"}
			}
			sum, least = sum+row.count, least+why.least
			rows = append(rows, []string{p.name, row.step, row.names(), strconv.Itoa(why.least), why.text})
		}
		rows = append(rows, []string{p.name, "", fmt.Sprintf("**%d**", sum), fmt.Sprintf("**%d**", least), ""})
		made += sum
	}
	if made == 0 {
		b.say("Store `%s`: no calls, it is on the disk.", service)
		return
	}
	b.table([]string{"at " + service, "step", "calls", "least", "what the others are for"}, rows)
}

// A row is what one step asked of one service.
type row struct {
	step  string
	calls []string
	count int
}

func (r row) names() string { return strings.Join(r.calls, ", ") }

func (r row) key() string { return r.step }

// rows sorts a scene's calls to a service by step, in the order of the first call
// of each; a step that was taken twice in a row or apart is numbered.
func (s scene) rows(service string) []row {
	var rows []row
	times := map[rotator.Verb]int{}
	var last rotator.Verb
	for _, c := range s.calls {
		if c.step != last {
			times[c.step]++
			last = c.step
		}
		if c.service != service {
			continue
		}
		step := string(c.step)
		if n := times[c.step]; n > 1 {
			step = fmt.Sprintf("%s (%d)", step, n)
		}
		if len(rows) == 0 || rows[len(rows)-1].step != step {
			rows = append(rows, row{step: step})
		}
		at := &rows[len(rows)-1]
		at.calls, at.count = append(at.calls, c.name), at.count+1
	}
	return rows
}

// A reason is how many of a step's calls nobody could do without, and what the
// others are for.
type reason struct {
	least int
	text  string
}

// reasons by service and step.
func reasons() map[string]map[string]reason {
	const rotation, end = "rotation/", "end of the old key/"
	const list = "which keys are there, and whose organization it is: one list for all targets of a workspace, a call for each 100 keys"
	const inTheStore = "the state is in the secret: there is no database"
	const awsWrite = "AWS has no compare-and-swap: write a mark, read whether anybody else has, then move the label that decides"
	return map[string]map[string]reason{
		atInstantly: {
			rotation + "list":     {0, list},
			rotation + "check":    {0, "can the admin key delete what it is about to issue? Once an hour for a workspace"},
			rotation + "issue":    {1, ""},
			rotation + "try":      {0, "nothing untested is stored: readers of GCP's `latest` get it at once"},
			rotation + "list (2)": {0, "the list has the new key under the id that its create answered: one list a minute for a workspace"},
			rotation + "verify":   {1, ""},
			end + "list":          {0, list},
			end + "verify":        {0, "the current key was just seen to work before the old one goes"},
			end + "revoke":        {1, ""},
			end + "list (2)":      {0, "proof: the list lacks the key; one list for all targets that wait for it"},
			end + "prove":         {0, "proof: the old value gets a 401"},
		},
		"aws": {
			rotation + "observe": {0, inTheStore},
			rotation + "reserve": {0, "the intent: a key whose create is never answered is found by it. " + awsWrite},
			rotation + "stage":   {1, "AWSPENDING, and the intent that moves with the value. " + awsWrite},
			rotation + "verify":  {0, "what is tested is what consumers will read"},
			rotation + "promote": {0, "a script lets PutSecretValue move AWSCURRENT, tested or not. " + awsWrite + "; AWSPENDING goes"},
			end + "observe":      {0, inTheStore},
			end + "verify":       {0, "what is tested is what consumers read"},
			end + "observe (2)":  {0, "did anybody change the secret meanwhile?"},
			end + "prove":        {0, "the old value, which must be refused"},
			end + "destroy":      {0, "the old version is forgotten, so that AWS removes it. " + awsWrite},
		},
		"gcp": {
			rotation + "observe": {0, inTheStore + "; the newest version: did anybody put one on top?"},
			rotation + "reserve": {0, "the intent: a key whose create is never answered is found by it"},
			rotation + "stage":   {1, "announced before and recorded after: AddSecretVersion has no etag and knows no repetition"},
			rotation + "verify":  {0, "what is tested is what consumers will read"},
			rotation + "promote": {0, "the alias `current` moves only to what was tested"},
			end + "observe":      {0, inTheStore},
			end + "verify":       {0, "what is tested is what consumers read"},
			end + "observe (2)":  {0, "did anybody change the secret meanwhile?"},
			end + "prove":        {0, "the old value, which must be refused"},
			end + "destroy":      {0, "no dead secret is left behind: it is forgotten under the etag, then destroyed"},
		},
		"kubernetes": {
			rotation + "observe": {0, inTheStore},
			rotation + "reserve": {0, "the intent: a key whose create is never answered is found by it"},
			rotation + "stage":   {0, "under a data key of its own until it is tested as stored"},
			rotation + "verify":  {0, "what is tested is what consumers will read"},
			rotation + "promote": {1, ""},
			end + "observe":      {0, inTheStore},
			end + "verify":       {0, "what is tested is what consumers read"},
			end + "observe (2)":  {0, "did anybody change the Secret meanwhile?"},
			end + "prove":        {0, "the old value, which must be refused"},
			end + "destroy":      {0, "no dead secret is left behind"},
		},
	}
}
