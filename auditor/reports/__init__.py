"""Reports: one pure renderer a format, and the one writer."""
