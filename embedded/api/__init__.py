"""The Kubernetes API server of the embedded platform: one process, all state in memory."""
