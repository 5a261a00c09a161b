"""A pytest plugin that runs checks in the opposite order: verdicts may not depend on it.

python -m pytest suites -p tests.backwards
"""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn the order round."""
    items.reverse()
