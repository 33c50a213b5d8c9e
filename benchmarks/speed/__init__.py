"""Speed and memory against the reference's algorithm, `transformers.Trainer` and the machine's limit: `make bench`."""
