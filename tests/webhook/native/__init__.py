"""What the API server can judge by itself."""
