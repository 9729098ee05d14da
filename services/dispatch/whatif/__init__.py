"""What would another rulebook have done: recorded cases are lived through once more, under the rulebook they had and
under the changed one, and compared.

What the machine decided is decided again; what people did is kept at its time with what they filled in.
"""
