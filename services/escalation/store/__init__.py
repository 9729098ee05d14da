"""The SQL of escalation, one module a question."""
