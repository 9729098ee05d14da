"""Event classes by topic. A kind's tuple lists its versions, oldest first; the newest is what consumers get."""
