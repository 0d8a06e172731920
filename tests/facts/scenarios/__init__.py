"""Tests of auditor.facts.scenarios."""
