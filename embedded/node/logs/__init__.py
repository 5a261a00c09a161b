"""What containers write: kept on disk with time stamps, read back and followed."""
