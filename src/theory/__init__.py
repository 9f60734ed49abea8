"""The theory of the paper (Sec. 3.2) held against measurement."""
