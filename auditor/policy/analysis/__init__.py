"""What can be said about rules without a record: what never fails or applies, or contradicts."""
