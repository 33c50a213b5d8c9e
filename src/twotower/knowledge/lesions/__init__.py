"""Lesions: what the joint model loses when a part of its input is taken away."""
