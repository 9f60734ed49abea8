"""Experiment 2 of the paper (Sec. 4.2): clustering of images by their codes."""
