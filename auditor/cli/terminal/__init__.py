"""What the process says to people: streams, layout, summaries."""
