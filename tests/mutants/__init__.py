"""Mutation testing of the rules: mutmut says what could be wrong with a function, the tests of the rules must notice.

The mutants are mutmut's; they are judged here, because starting pytest for each of some ten thousand takes hours: the
tests are collected once, every mutant gets a forked process with the changed function in place, and only the tests
that run the changed line are called, until one fails.
"""
