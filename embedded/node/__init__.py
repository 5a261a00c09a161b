"""The node: takes the Pods bound to it and makes them real processes on real files."""
