package audit

// Check asks one question.
type Check struct {
	// ID is stable: exceptions and people refer to it.
	ID string
	// Title is what it wants, and Why says what could happen otherwise.
	Title, Why string
	// judge gives what it finds, and what it could not look at. It is pure.
	judge func(*Facts) []Finding
	// unless says what asks for the check, where it was not asked for; nil: always.
	unless func(*Facts) string
}

// Checks lists all of them. A new one is a file, and a line here.
func Checks() []Check {
	return []Check{
		key01(), key02(), key03(), key04(), key05(), key06(), key07(),
		hook01(), hook02(), hook03(), mem01(), log01(), log02(), log03(), blk01(),
		src01(),
	}
}
