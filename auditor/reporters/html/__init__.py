"""Pages: one file each, which loads nothing and sends nothing."""
