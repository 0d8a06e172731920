"""What whoever serves needs."""
