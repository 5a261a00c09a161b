"""The control loops of the embedded Kubernetes: clients of its HTTP API and nothing else."""
