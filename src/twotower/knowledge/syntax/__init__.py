"""What of syntax is in the states: classifiers, probes, perturbed masking, and the treebanks that they read."""
