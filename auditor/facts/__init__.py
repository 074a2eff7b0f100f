"""What other lists of the API, and the user's own files, say of a connection."""
