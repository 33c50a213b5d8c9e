"""The run folder: its stages, records, digests, and atomic writing."""
