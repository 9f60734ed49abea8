"""Dictionary learners of other packages and ours on the same data, with errors and seconds."""
