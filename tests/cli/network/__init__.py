"""The verbs of `auditor network`, as people and programs use them."""
