"""The container runtime: sandboxes, roots and processes, made by the spawner, pid 1 of the box."""
