"""The rules of roles: which requests they let through, and which rules cover others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from embedded.api.access.attributes import Attributes
from embedded.api.jsons import Json

_FIELDS = {
    "verbs": "verbs",
    "apiGroups": "groups",
    "resources": "resources",
    "resourceNames": "names",
    "nonResourceURLs": "urls",
}
_SHOWN = {
    "apiGroups": "APIGroups",
    "resourceNames": "ResourceNames",
    "nonResourceURLs": "NonResourceURLs",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; `*` stands for everything."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Names of objects; all where there are none."""
    urls: tuple[str, ...] = ()

    def grants(self, verb: str, group: str, resource: str) -> bool:
        """Return whether the rule lets the verb on the resource through, for some name."""
        return (
            ("*" in self.verbs or verb in self.verbs)
            and ("*" in self.groups or group in self.groups)
            and _has(self.resources, resource)
        )

    def grants_path(self, verb: str, path: str) -> bool:
        """Return whether the rule lets the verb on a path through."""
        return ("*" in self.verbs or verb in self.verbs) and any(
            _leads_to(url, path) for url in self.urls
        )

    def allows(self, asked: Attributes) -> bool:
        """Return whether the rule lets a request through."""
        if asked.path:
            return self.grants_path(asked.verb, asked.path)
        granted = self.grants(asked.verb, asked.group, asked.resource)
        return granted and (not self.names or asked.name in self.names)

    def as_json(self) -> Json:
        """The `PolicyRule`."""
        found = {name: list(getattr(self, own)) for name, own in _FIELDS.items()}
        return {name: value for name, value in found.items() if value}

    def __str__(self) -> str:
        """The rule as refusals show it."""
        shown = [
            f"{_SHOWN.get(name, name.capitalize())}:[{' '.join(map(_quoted, getattr(self, own)))}]"
            for name, own in _FIELDS.items()
            if getattr(self, own)
        ]
        return "{" + ", ".join([*shown[1:], shown[0]]) + "}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _has(resources: tuple[str, ...], resource: str) -> bool:
    if "*" in resources or resource in resources:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in resources


def _leads_to(url: str, path: str) -> bool:
    return url == path or (url.endswith("*") and path.startswith(url[:-1]))


def read(rules: Iterable[Json] | None) -> tuple[Rule, ...]:
    """The rules of a Role or ClusterRole."""
    return tuple(
        Rule(**{own: tuple(rule.get(name) or ()) for name, own in _FIELDS.items()})
        for rule in rules or ()
    )


def not_covered(held: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The parts of the wanted rules that no held rule covers, one for each resource."""
    held = tuple(held)
    missing: dict[Rule, list[str]] = {}
    for part in wanted:
        for single in _parts(part):
            if not any(_covers(rule, single) for rule in held):
                missing.setdefault(replace(single, verbs=()), []).extend(single.verbs)
    return [
        replace(rule, verbs=tuple(sorted(dict.fromkeys(verbs)))) for rule, verbs in missing.items()
    ]


def _parts(rule: Rule) -> Iterator[Rule]:
    """Yield the same as rules of one verb on one resource or path each."""
    for verb in rule.verbs:
        for url in rule.urls:
            yield Rule(verbs=(verb,), urls=(url,))
        for group in rule.groups:
            for resource in rule.resources:
                for name in rule.names or ("",):
                    names = (name,) if name else ()
                    yield Rule(verbs=(verb,), groups=(group,), resources=(resource,), names=names)


def _covers(held: Rule, single: Rule) -> bool:
    verb = single.verbs[0]
    if single.urls:
        return held.grants_path(verb, single.urls[0])
    granted = held.grants(verb, single.groups[0], single.resources[0])
    return granted and (not held.names or (bool(single.names) and single.names[0] in held.names))
