"""Photos: bytes arrive in pieces, are checked by hash, and are made anew by a child process before they are shown."""
