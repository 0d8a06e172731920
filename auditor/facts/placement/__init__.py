"""Where pods can run, and how far apart."""
