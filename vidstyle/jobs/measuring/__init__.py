"""What an evaluation is made of: who takes part, one pass over all, the report."""
