"""Telling people: who must look, in which words, when, and by which way."""
