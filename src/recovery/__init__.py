"""Experiment 1 of the paper (Sec. 4.1): recovery of dictionaries and supports in simulations."""
