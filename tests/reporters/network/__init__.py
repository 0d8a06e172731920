"""The forms in which who reaches whom is told."""
