"""The continuous audit."""
