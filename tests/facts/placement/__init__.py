"""Where pods can run, asked of small clusters."""
