"""Authorization: roles and bindings, who may grant them, and acting as somebody else."""
