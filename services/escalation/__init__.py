"""Keeps the timers of every running clock, fires each once, and tells the city platform by signed webhooks."""
