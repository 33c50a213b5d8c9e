"""Held-out text and a scorer to log-probabilities; knows nothing of what is done with them."""
