"""Recovery at the oracle's limit: what alternating least squares and a better network reach."""
