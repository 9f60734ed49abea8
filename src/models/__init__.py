"""A variety of generative models: which method recovers which, and why not where not."""
