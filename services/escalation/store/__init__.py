"""The SQL of escalation, one module a question: `timers`, `endpoints`, `deliveries`, `platform`."""
