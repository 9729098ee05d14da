"""What escalation does: follow case facts, fire timers, deliver webhooks, manage endpoints, hear the platform."""
