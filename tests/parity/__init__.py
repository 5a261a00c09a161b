"""What a Kubernetes API answers, as rows that run against any server."""
