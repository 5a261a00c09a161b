"""The reference platform: a Kubernetes in a box with a small operator that keeps the contract."""
