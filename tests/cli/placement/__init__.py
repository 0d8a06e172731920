"""The verbs of `auditor placement`, as people and programs use them."""
