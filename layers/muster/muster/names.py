"""What may be called what: names that stand in the keys of the lake."""

SOURCE_NAME = r"[a-z0-9][a-z0-9_-]{0,62}"
