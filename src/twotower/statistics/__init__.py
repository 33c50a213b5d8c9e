"""Statistics that know nothing of towers: resampling, ranks, strata, intervals, mixed models."""
