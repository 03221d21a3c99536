"""Jobs: a config in, a report out. The only floor that makes threads."""
