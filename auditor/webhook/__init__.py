"""The admission webhook: the same audit before the object exists."""
