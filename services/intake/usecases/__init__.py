"""What intake does, one function per command; each takes the ports it needs and opens no connection itself."""
