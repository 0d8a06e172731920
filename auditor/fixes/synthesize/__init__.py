"""What makes or rewrites whole objects for a fix."""
