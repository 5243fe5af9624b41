"""Templates, and the record of every message: its claim, its decision and what became of it."""
