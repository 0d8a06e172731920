"""What can be said of a snapshot before any policy is asked."""
