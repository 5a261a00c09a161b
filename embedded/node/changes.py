"""Listeners for changes of Secrets, ConfigMaps and claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Name = tuple[str, str, str]
"""Kind, namespace and name."""
Listener = Callable[[str, str], None]
"""Called with kind and name."""


class Changes:
    """Listeners by the object that they care for."""

    def __init__(self) -> None:
        self._listeners: dict[Name, dict[Listener, None]] = {}

    def listen(self, names: Iterable[Name], listener: Listener) -> Callable[[], None]:
        """Call `listener` whenever one of `names` changes; returns what ends that."""
        wanted = list(names)
        for name in wanted:
            self._listeners.setdefault(name, {})[listener] = None

        def stop() -> None:
            for name in wanted:
                listeners = self._listeners.get(name, {})
                listeners.pop(listener, None)
                if not listeners:
                    self._listeners.pop(name, None)

        return stop

    def notify(self, kind: str, namespace: str, name: str) -> None:
        """Call the listeners of this object, which has changed."""
        for listener in list(self._listeners.get((kind, namespace, name), {})):
            listener(kind, name)
