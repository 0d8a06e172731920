"""What reads manifests and clusters."""
