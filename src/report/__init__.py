"""The page of a run and its published form, assembled from what experiments deliver."""
