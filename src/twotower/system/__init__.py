"""What every other room stands on: errors, progress, printing, processes and memory; knows nothing of runs."""
