"""HTTP bodies. `…In` is what callers send (unknown fields refused, every length bounded), `…Out` what they get."""
