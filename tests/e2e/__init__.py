"""Tests against real programs: a Kubernetes control plane, and the OPA that users run."""
