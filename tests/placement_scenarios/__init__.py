"""Whole situations, each with its verdict and its number."""
