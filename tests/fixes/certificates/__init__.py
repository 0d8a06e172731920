"""What was shown of fixes that decide where pods run."""
