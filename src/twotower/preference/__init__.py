"""Trained towers to scores to preference."""
