"""Tests of what NetworkPolicies do and do not do."""
