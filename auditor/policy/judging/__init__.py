"""From records to verdicts and evidence."""
