"""Logs of containers: kept on disk with time stamps, read back and followed."""
