"""Tests of auditor.reporters."""
