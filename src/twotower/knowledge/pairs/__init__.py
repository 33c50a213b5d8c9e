"""Minimal pairs: which of two sentences a tower finds more probable."""
