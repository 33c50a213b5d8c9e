"""What instruments have found: records without computation, which pages, studies and `results.json` read."""
