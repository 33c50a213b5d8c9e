"""Windows to log-probabilities."""
