"""Broken promises, as checks raise them: with all that a person needs to act on them.

Anything else that a check raises is an error: then nothing is known about the promise.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reports.events import Difference, Element


class Breach(AssertionError):  # noqa: N818 - the word for a broken promise
    """A promise is broken: where, what was promised, what was seen, where to look next."""

    def __init__(self, *, where: str, promised: str, seen: str, look_at: str = "") -> None:
        self.differences: tuple[Difference, ...] = (
            Difference(where=where, promised=promised, seen=seen, look_at=look_at),
        )
        super().__init__(f"{where}: promised {promised}; seen {seen}")

    @classmethod
    def joined(cls, breaches: Sequence["Breach"]) -> "Breach":
        """Make one of several; the first is told in full, the others in a line each."""
        first = breaches[0].differences[0]
        whole = cls(
            where=first.where, promised=first.promised, seen=first.seen, look_at=first.look_at
        )
        whole.differences = tuple(one for breach in breaches for one in breach.differences)
        return whole


def expect(holds: bool, *, where: str, promised: str, seen: str, look_at: str = "") -> None:
    """Raise Breach unless the promise holds.

    `where` names the object and the path that was taken to it, `seen` what was there instead of
    `promised`, and `look_at` the rule, line, event or file that may explain it.
    """
    if not holds:
        raise Breach(where=where, promised=promised, seen=seen, look_at=look_at)


class EachElement:
    """Judges the elements of an "each of" one by one, and goes on after a breach or an error.

        for replica in cluster.replicas:
            with each(replica.pod):
                expect(...)

    Every element is named in the evidence with how it came out. One breach is enough to fail the
    check, whatever could not be known of other elements; without a breach one error makes it an
    error. So does a check that asks for `each` and looks at no element: nothing was observed.
    """

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.breaches: list[Breach] = []
        self.errors: list[Exception] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Judge one element; `name` says which."""
        try:
            yield
        except Breach as breach:
            self.breaches.append(breach)
            self.elements.append(Element(name=name, outcome="failed"))
        except AssertionError as error:
            promised = "what the check asserts"
            self.breaches.append(Breach(where=name, promised=promised, seen=str(error)))
            self.elements.append(Element(name=name, outcome="failed"))
        except Exception as error:  # raised by `conclude`
            self.errors.append(error)
            self.elements.append(Element(name=name, outcome="error"))
        else:
            self.elements.append(Element(name=name, outcome="passed"))

    def conclude(self) -> None:
        """Raise what was found: the breaches, else the first error.

        Raises LookupError where there was no element at all.
        """
        if self.breaches:
            raise Breach.joined(self.breaches)
        if self.errors:
            raise self.errors[0]
        if not self.elements:
            raise LookupError("the check found no element to look at, so nothing was observed")
