"""The live API: the account, the transport, the client that retries, the walk."""
