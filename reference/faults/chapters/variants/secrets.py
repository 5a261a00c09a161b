"""Variants of the Secrets that the operator makes: their texts, keys, labels and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reference.faults import pemforms
from reference.faults.fault import Hit
from reference.faults.variant import Variant
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Instance
from reference.operator.secret_data import SecretDraft


class _Redrafted(Contract):
    """Secrets that the subclass changes once they are drafted."""

    def secrets(self, context: Context, instances: Sequence[Instance]) -> list[SecretDraft]:
        return [self.redrafted(draft) for draft in super().secrets(context, instances)]

    def redrafted(self, draft: SecretDraft) -> SecretDraft:
        """Return the Secret in its own form."""
        return draft


class _Reformed(_Redrafted):
    """Secrets whose PEM is written otherwise."""

    def redrafted(self, draft: SecretDraft) -> SecretDraft:
        data = {key: pemforms.reformed(value, self.form) for key, value in draft.data.items()}
        return replace(draft, data=data)

    def form(self, found: pemforms.Blocks) -> bytes:
        """Return PEM blocks as they are written."""
        raise NotImplementedError


@Variant(
    name="text-around-pem",
    aspect="secrets",
    differs="Text stands around each block of PEM in Secrets.",
)
class TextAroundPem(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.with_text(found)


@Variant(name="pem-with-crlf", aspect="secrets", differs="Lines of PEM in Secrets end in CR LF.")
class PemWithCrlf(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.with_crlf(found)


@Variant(
    name="pem-without-newline",
    aspect="secrets",
    differs="PEM in Secrets has no line's end at its end.",
)
class PemWithoutNewline(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.without_last_newline(found)


@Variant(
    name="pem-with-blank-lines",
    aspect="secrets",
    differs="Blank lines stand around PEM in Secrets.",
)
class PemWithBlankLines(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.with_blank_lines(found)


@Variant(name="pkcs8-keys", aspect="secrets", differs="Private keys in Secrets are in PKCS#8.")
class Pkcs8Keys(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.with_pkcs8_keys(found)


@Variant(
    name="keys-with-parameters",
    aspect="secrets",
    differs="EC keys in Secrets stand behind a block of their curve's parameters.",
)
class KeysWithParameters(_Reformed):
    def form(self, found: pemforms.Blocks) -> bytes:
        return pemforms.with_parameters(found)


@Variant(
    name="more-keys",
    aspect="secrets",
    differs="Secrets have more keys: a note, a key store, the root and the chain once more.",
    differing=(Hit(requirement="AUTO-2c", reason="it counts the keys"),),
)
class MoreKeys(_Redrafted):
    def redrafted(self, draft: SecretDraft) -> SecretDraft:
        more: dict[str, bytes | str] = {
            "README": "See the documentation; -----BEGIN CERTIFICATE----- is how it starts.\n",
            "keystore.p12": b"\x30\x82\x00\xff\xfe\x00",
            "empty": b"",
        }
        leaf, root = draft.value("tls.crt"), draft.value("ca.crt") or draft.value("root.crt")
        if root:
            more["truststore.pem"] = root
        if leaf:
            more["fullchain.pem"] = leaf + root
            more["combined.pem"] = draft.value("tls.key") + leaf
        return draft.holding(more)


@Variant(
    name="more-labels",
    aspect="secrets",
    differs="Secrets, Pods and instances carry more labels and annotations.",
)
class MoreLabels(_Redrafted):
    def redrafted(self, draft: SecretDraft) -> SecretDraft:
        annotations = {
            **draft.annotations,
            "example.com/expires": "2036-01-01",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
        }
        if draft.labels is None:
            return replace(draft, annotations=annotations)
        labels = {
            **draft.labels,
            "app.kubernetes.io/managed-by": "percona-operator",
            "app.kubernetes.io/part-of": "database",
            "example.com/team": "",
        }
        return replace(draft, labels=labels, annotations=annotations)

    def restart_annotations(self, context: Context) -> dict[str, str]:
        return {**super().restart_annotations(context), "prometheus.io/scrape": "true"}
