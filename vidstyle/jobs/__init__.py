"""Jobs: a config in, a report out. The only layer that makes threads."""
