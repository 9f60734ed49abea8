"""Real data sets, prepared once for every experiment that uses them."""
