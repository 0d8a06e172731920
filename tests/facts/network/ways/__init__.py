"""The ways into the cluster."""
