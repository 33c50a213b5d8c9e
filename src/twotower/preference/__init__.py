"""One run: from trained towers to scores to preference and its statistics."""
