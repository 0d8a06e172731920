"""Paths to personal data."""
