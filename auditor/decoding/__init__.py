"""From bytes to the fields that rules read, and nothing else."""
