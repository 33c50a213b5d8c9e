"""Many runs: which ones, and what they say together."""
