"""The facts, each against what a small cluster is known to be."""
