"""Tests of the product. They mirror `auditor/`."""
