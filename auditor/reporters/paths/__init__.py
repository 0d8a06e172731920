"""Paths to personal data, for people, for programs and as a picture."""
