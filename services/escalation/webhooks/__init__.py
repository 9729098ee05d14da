"""What leaves for the city platform: signatures, secrets at rest, the guarded HTTP client, the retry plan."""
