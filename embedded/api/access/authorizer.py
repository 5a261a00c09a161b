"""Who may do what: by the Roles, ClusterRoles and bindings in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from embedded.api.access.attributes import Attributes, forbidden
from embedded.api.access.rules import Rule, read
from embedded.api.auth import User
from embedded.api.jsons import Json
from embedded.api.store import Store

GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
"""The group that may do everything, whatever the roles are."""
NODES = "system:nodes"
_NODE_ROLES = ("system:node", "system:node-proxier")
"""What a node may do: the program of the node is kubelet and proxy of Services in one."""
_MOST = 20_000
"""Decisions that are remembered."""

_Names = frozenset[str] | None
"""The names that a verb on a resource is allowed for; None for all."""


@dataclass(frozen=True)
class Grants:
    """The rules that hold for a user in a namespace, and what stood in the way of others."""

    rules: tuple[Rule, ...]
    sources: tuple[str, ...]
    """Of each rule: by what it holds."""
    errors: tuple[str, ...] = ()

    def reason(self, asked: Attributes) -> str:
        """By what a request is allowed; empty where it is not."""
        pairs = zip(self.rules, self.sources, strict=True)
        return next((source for rule, source in pairs if rule.allows(asked)), "")


@dataclass
class _Cache:
    grants: dict[tuple[str, tuple[str, ...], str], Grants] = field(default_factory=dict)
    names: dict[tuple[str, ...], dict[tuple[str, ...], _Names]] = field(default_factory=dict)
    size: int = 0


class Authorizer:
    """Decides by the store's roles; decisions are remembered until one of these changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache = _Cache()

    def changed(self) -> None:
        """Forget all decisions: a role or binding was written."""
        self._cache = _Cache()

    def demand(self, user: User, asked: Attributes) -> None:
        """Raise ApiError 403 where the user may not."""
        if not self.allows(user, asked):
            errors = self.grants(user, asked.namespace).errors
            reason = f"RBAC: {errors[0] if len(errors) == 1 else list(errors)}" if errors else ""
            raise forbidden(user.name, asked, reason)

    def allows(self, user: User, asked: Attributes) -> bool:
        """Return whether the user may."""
        if MASTERS in user.groups:
            return True
        if asked.path:
            return any(rule.allows(asked) for rule in self.grants(user, "").rules)
        names = self._names(user, asked)
        return names is None or asked.name in names

    def reason(self, user: User, asked: Attributes) -> str:
        """By what the user may, in the words of a real server; empty where that is not so."""
        return "" if MASTERS in user.groups else self.grants(user, asked.namespace).reason(asked)

    def _names(self, user: User, asked: Attributes) -> _Names:
        cache = self._cache
        of_user = cache.names.setdefault((user.name, *user.groups), {})
        key = asked[:4]
        try:
            return of_user[key]
        except KeyError:
            if cache.size >= _MOST:
                self.changed()
            cache.size += 1
            found = of_user[key] = self._found_names(user, asked)
            return found

    def _found_names(self, user: User, asked: Attributes) -> _Names:
        names: set[str] = set()
        for rule in self.grants(user, asked.namespace).rules:
            if rule.grants(asked.verb, asked.group, asked.resource):
                if not rule.names:
                    return None
                names.update(rule.names)
        return frozenset(names)

    def grants(self, user: User, namespace: str) -> Grants:
        """The rules that hold for a user in a namespace; in the cluster scope for the empty one."""
        key = (user.name, user.groups, namespace)
        found = self._cache.grants.get(key)
        if found is None:
            found = self._cache.grants[key] = self._gathered(user, namespace)
        return found

    def role_rules(self, reference: Json, namespace: str) -> tuple[Rule, ...] | None:
        """The rules of the role that a binding refers to; None where there is no such role."""
        name = reference.get("name", "")
        if reference.get("kind") == "ClusterRole":
            found = self._store.collection(GROUP, "clusterroles").objects.get(("", name))
        else:
            found = self._store.collection(GROUP, "roles").objects.get((namespace, name))
        return None if found is None else read(found.obj.get("rules"))

    def _gathered(self, user: User, namespace: str) -> Grants:
        rules: list[Rule] = []
        sources: list[str] = []
        errors: list[str] = []
        for source, reference in self._references(user, namespace):
            held = self.role_rules(reference, namespace)
            if held is None:
                plural = f"{reference.get('kind', '').lower()}.{GROUP}"
                errors.append(f'{plural} "{reference.get("name")}" not found')
                continue
            rules += held
            sources += [source] * len(held)
        return Grants(tuple(rules), tuple(sources), tuple(errors))

    def _references(self, user: User, namespace: str) -> Iterator[tuple[str, Json]]:
        if MASTERS in user.groups:
            yield "", {"kind": "ClusterRole", "name": "cluster-admin"}
        if NODES in user.groups and user.name.startswith("system:node:"):
            for name in _NODE_ROLES:
                yield "", {"kind": "ClusterRole", "name": name}
        yield from self._bound(user, "clusterrolebindings", "")
        if namespace:
            yield from self._bound(user, "rolebindings", namespace)

    def _bound(self, user: User, plural: str, namespace: str) -> Iterator[tuple[str, Json]]:
        for stored in self._store.collection(GROUP, plural).within(namespace).values():
            for subject in stored.obj.get("subjects") or ():
                if _is(subject, user, namespace):
                    yield _source(stored.obj, subject), stored.obj["roleRef"]
                    break


def _is(subject: Json, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "Group":
        return name in user.groups
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        return user.name == f"system:serviceaccount:{home}:{name}"
    return kind == "User" and user.name == name


def _source(binding: Json, subject: Json) -> str:
    meta, role = binding["metadata"], binding["roleRef"]
    home = f"/{meta['namespace']}" if meta.get("namespace") else ""
    who = "/".join(filter(None, (subject["name"], subject.get("namespace"))))
    return (
        f'RBAC: allowed by {binding["kind"]} "{meta["name"]}{home}" of {role["kind"]} '
        f'"{role["name"]}" to {subject["kind"]} "{who}"'
    )
