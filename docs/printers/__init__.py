"""One module per kind of page that docs/generate.py writes; each reads the code's own rows."""
