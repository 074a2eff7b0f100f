"""Earlier runs: reading their reports, comparing two, keeping a history."""
