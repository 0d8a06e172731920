"""What turns a remedy into edits, and proves it."""
