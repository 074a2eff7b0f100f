"""What the API's other lists, and the user's own files, say about a connection."""
