package awssecretsmanager

// dropOwnIntent takes a version's own intent: it was staged, it is no longer.
func (w *write) dropOwnIntent(version string) error {
	slot := w.keys[version].slot
	if slot == "" {
		return nil
	}
	for _, m := range w.marks() {
		if m.kind == kindIntent && m.at == version && m.fields[0] == slot {
			if err := w.detach(m.text); err != nil {
				return err
			}
		}
	}
	return w.dropTags(w.tagKeys(slot))
}

// keepOwnIntent brings an intent that is in tags onto the version that
// fulfilled it: Stage was interrupted after the first version was put.
func (w *write) keepOwnIntent(version string) error {
	slot := w.keys[version].slot
	for _, m := range w.marks() {
		if m.kind == kindIntent && m.at == "" && m.fields[0] == slot {
			if err := w.attach(m.text, version); err != nil {
				return err
			}
			return w.dropTags(w.tagKeys(slot))
		}
	}
	return nil
}

// clear takes the labels of a version that is on no stage, so that AWS may
// remove it. What belongs to the notes moves on to the version that AWS calls
// current; labels that are not ours stay.
func (w *write) clear(version string) error {
	if version == "" || w.holds(version) {
		return nil
	}
	return w.strip(version)
}

// strip takes the labels of a version, although its promotion may be announced:
// first its own intent, without which that means nothing.
func (w *write) strip(version string) error {
	if err := w.dropOwnIntent(version); err != nil {
		return err
	}
	slot := w.keys[version].slot
	for _, label := range w.labelsOn(version) {
		m, isMark := parseMark(label, version)
		to := ""
		switch {
		case label == labelPending || label == labelPrevious:
		case !isMark || m.kind == kindKey:
			continue
		case m.kind == kindPromoted:
			continue
		case m.kind == kindFirst && version == w.holder():
			continue
		case m.kind == kindIntent || isFact(m.kind) || m.kind == kindMore && m.fields[0] != slot:
			to = w.holder()
		}
		if err := w.shift(label, to); err != nil {
			return err
		}
	}
	// As long as it is there, an intent beside it is the version's own.
	if k, put := w.keys[version]; put {
		if err := w.detach(k.text(version)); err != nil {
			return err
		}
	}
	for _, text := range w.promotionTexts(version) { // the last: see buryRetired
		if err := w.detach(text); err != nil {
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
func (w *write) buryRetired() error {
	for _, label := range w.litter() {
		if len(w.promotions[w.labels[label]]) == 0 {
			continue
		}
		if err := w.detach(label); err != nil {
			return err
		}
	}
	return nil
}

// tagKeys lists the tags that an intent was reserved in.
func (w *write) tagKeys(slot string) []string {
	var keys []string
	for _, m := range w.marks() {
		if m.at == "" && (m.kind == kindIntent || m.kind == kindMore) && m.fields[0] == slot {
			key, _ := asTag(m.text)
			keys = append(keys, key)
		}
	}
	return keys
}
