"""The verbs of `auditor access`, as people and programs use them."""
