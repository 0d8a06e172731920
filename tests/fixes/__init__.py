"""What the fixes do to the user's files."""
