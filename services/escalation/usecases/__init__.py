"""What escalation does: follow case facts, fire and check timers, deliver webhooks, hear platforms, tell people."""
