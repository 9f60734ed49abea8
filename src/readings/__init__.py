"""Which reading of the paper reproduces it: rows that change one thing, and their distance."""
