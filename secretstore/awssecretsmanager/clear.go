package awssecretsmanager

// dropOwnIntent takes a version's own intent: it was staged, it is no longer.
func (op *write) dropOwnIntent(version string) error {
	slot := op.keys[version].slot
	if slot == "" {
		return nil
	}
	for _, m := range op.marks() {
		if m.kind == kindIntent && m.at == version && m.fields[0] == slot {
			if err := op.detach(m.text); err != nil {
				return err
			}
		}
	}
	return op.dropTags(op.tagKeys(slot))
}

// keepOwnIntent brings an intent that is in tags onto the version that
// fulfilled it: Stage was interrupted after the first version was put.
func (op *write) keepOwnIntent(version string) error {
	slot := op.keys[version].slot
	for _, m := range op.marks() {
		if m.kind == kindIntent && m.at == "" && m.fields[0] == slot {
			if err := op.attach(m.text, version); err != nil {
				return err
			}
			return op.dropTags(op.tagKeys(slot))
		}
	}
	return nil
}

// clear takes the labels of a version that is on no stage, so that AWS may
// remove it. What belongs to the notes moves on to the version that AWS calls
// current; labels that are not ours stay.
func (op *write) clear(version string) error {
	if version == "" || op.holds(version) {
		return nil
	}
	return op.strip(version)
}

// strip takes the labels of a version, although its promotion may be announced:
// first its own intent, without which that means nothing.
func (op *write) strip(version string) error {
	if err := op.dropOwnIntent(version); err != nil {
		return err
	}
	slot := op.keys[version].slot
	for _, label := range op.labelsOn(version) {
		m, isMark := parseMark(label, version)
		to := ""
		switch {
		case label == labelPending || label == labelPrevious:
		case !isMark || m.kind == kindKey:
			continue
		case m.kind == kindPromoted:
			continue
		case m.kind == kindFirst && version == op.holder():
			continue
		case m.kind == kindIntent || isFact(m.kind) || m.kind == kindMore && m.fields[0] != slot:
			to = op.holder()
		}
		if err := op.shift(label, to); err != nil {
			return err
		}
	}
	// As long as it is there, an intent beside it is the version's own.
	if k, put := op.keys[version]; put {
		if err := op.detach(k.text(version)); err != nil {
			return err
		}
	}
	for _, text := range op.promotionTexts(version) { // the last: see buryRetired
		if err := op.detach(text); err != nil {
			return err
		}
	}
	return nil
}

// buryRetired takes the labels of versions on which an interrupted Destroy left
// some: AWS keeps a version that has any. Where intents are reserved, every
// reservation does it, but nobody reserves any in a store that follows. Only a
// version that was promoted is meant, not one that somebody is just putting; what
// tells them apart goes last, since litter is in the order of the labels.
func (op *write) buryRetired() error {
	for _, label := range op.litter() {
		if len(op.promotions[op.labels[label]]) == 0 {
			continue
		}
		if err := op.detach(label); err != nil {
			return err
		}
	}
	return nil
}

// tagKeys lists the tags that an intent was reserved in.
func (op *write) tagKeys(slot string) []string {
	var keys []string
	for _, m := range op.marks() {
		if m.at == "" && (m.kind == kindIntent || m.kind == kindMore) && m.fields[0] == slot {
			key, _ := asTag(m.text)
			keys = append(keys, key)
		}
	}
	return keys
}
