"""hypothesis, with the same examples each time, and told not to judge how fast a machine is.

What fails once fails again, on whatever machine; a new one is slow at the first examples.
"""

from hypothesis import HealthCheck, given, settings, strategies

__all__ = ["given", "settings", "strategies"]

settings.register_profile(
    "any machine",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")
