"""What a run says, in one file: every figure of `results.json`, typed."""
