"""The explorer: a local page on which a run is looked at, word by word and passage by passage."""
