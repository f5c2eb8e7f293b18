package doctor

func (s Sink) about() string { return s.Target + ": sink " + s.Name }

// sinkAsked judges what is known of sinks without a write: whether one takes the next key, only
// that shows.
func sinkAsked(f Facts) []Finding {
	var all []Finding
	for _, s := range f.Sinks {
		one := judged(s.about(), s.Target, s.Asked)
		switch {
		case one.Level == Bad:
			one.Remedy = "see to what the message names: until the sink takes the next key, the old one lives on"
		case s.Asked != nil:
		case s.Found == "":
			one = advice(s.about(), "nothing is known of it before it is given a key", "holds_url, or holds_command, lets it be asked")
		default:
			one.Text = s.Found + "; whether it takes the next key, that shows"
		}
		all = append(all, one)
	}
	return all
}
