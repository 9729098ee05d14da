"""What leaves for the city platform: the guarded HTTP client, the retry plan."""
