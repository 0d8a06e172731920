"""Finds webhook configurations that can stop a cluster or be walked around: ours and others'."""
