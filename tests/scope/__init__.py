"""Tests of what is told, and on which object."""
