"""Tests of the network engine."""
