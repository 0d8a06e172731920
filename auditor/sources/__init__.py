"""What reads manifests and clusters into a snapshot."""
