"""Sparse autoencoders on data whose features have several dimensions, with the truth known."""
