"""Speed: benchmarks of the library beside named baselines, on an idle machine."""
