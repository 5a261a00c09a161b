"""What the run waits for, in one line: who, for what, how long, and until when at the latest."""

import time
from dataclasses import dataclass, field

from fixtures.run.awaiting import Awaited
from reports.text import one_line
from reports.wrapping import cells, shortened


@dataclass
class Waits:
    """What is waited for now. The run itself has no name, and what it waits for comes first."""

    _by: dict[str, Awaited] = field(default_factory=dict)
    _doing: str = ""
    _since: float = 0.0

    def doing(self, text: str) -> None:
        """Keep what the run is doing, until it waits for something else."""
        self._doing, self._since = one_line(text), time.monotonic()

    def idle(self) -> None:
        """Forget what the run was doing."""
        self._doing = ""
        self._by.pop("", None)

    def awaits(self, who: str, awaited: Awaited | None) -> None:
        """Keep what somebody waits for; None: nothing any more."""
        self._by.pop(who, None)
        if awaited is not None:
            self._by[who] = awaited

    def text(self) -> str:
        """Return what is waited for, without times; empty where nothing is."""
        who, awaited = self._first()
        return (
            "" if awaited is None else one_line(f"{who}: {awaited.text}" if who else awaited.text)
        )

    def line(self, width: int) -> str:
        """Return as much as `width` columns hold; empty where nothing is waited for."""
        who, awaited = self._first()
        if awaited is None:
            return ""
        text = self.text()
        timing = _timing(awaited)
        others = len([name for name in self._by if name not in {"", who}])
        if others and who:
            timing += f", +{others}"
        if width - cells(timing) - 3 < _LEAST:
            return shortened(text, width)
        return f"{shortened(text, width - cells(timing) - 3)} ({timing})"

    def _first(self) -> tuple[str, Awaited | None]:
        own = self._by.get("")
        if own is not None and own.of in self._by:
            working = [one for one in self._by.items() if one[0] and not one[1].queued]
            if self._by[own.of].queued and working:
                return min(working, key=lambda one: one[1].began)
            return own.of, self._by[own.of]
        if own is not None and self._doing and self._since > own.began:
            return "", Awaited(text=self._doing, began=self._since, ends=own.ends)
        if own is not None:
            return "", own
        if self._doing:
            return "", Awaited(text=self._doing, began=self._since)
        return next(reversed(self._by.items()), ("", None))


_LEAST = 12
"""Columns of text, without which times are not worth their room."""


def _timing(awaited: Awaited) -> str:
    now = time.monotonic()
    minutes, seconds = divmod(int(now - awaited.began), 60)
    text = f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
    if awaited.ends is not None:
        at = time.localtime(time.time() + awaited.ends - now)
        text += f", until {time.strftime('%H:%M:%S', at)}"
    return text
