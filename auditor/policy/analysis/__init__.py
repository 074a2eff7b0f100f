"""What can be said of rules without a record: what never fails, never applies, or contradicts."""
