"""The estimator with nothing but sizes, or nothing at all, on planted groups and on images."""
