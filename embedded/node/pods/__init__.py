"""The life of Pods: containers, restarts, status and end."""
