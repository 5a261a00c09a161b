from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from embedded.node.changes import Changes
from embedded.node.config import BackOff, ConfigError, load_config
from embedded.node.network.addresses import AddressPool
from embedded.node.quantities import divided


@pytest.mark.parametrize(
    ("amount", "divisor", "expected"),
    [
        ("500m", "1", "1"),
        ("500m", "1m", "500"),
        ("1Gi", "1Mi", "1024"),
        ("1G", "1", "1000000000"),
        ("1.5", "1m", "1500"),
        ("2e3", "0", "2000"),
    ],
)
def test_amounts_are_divided_and_rounded_up(amount: str, divisor: str, expected: str) -> None:
    assert divided(amount, divisor) == expected


def test_the_first_restart_is_at_once_then_the_delay_doubles_up_to_its_bound() -> None:
    back_off = BackOff(first=1, most=5)
    assert [back_off.delay(n) for n in range(5)] == [0, 1, 2, 4, 5]


def test_an_address_is_given_again_only_after_all_others() -> None:
    pool = AddressPool(IPv4Network("10.0.0.0/29"), frozenset({IPv4Address("10.0.0.1")}))
    first = pool.take()
    assert first == "10.0.0.2"
    pool.free(first)
    assert [pool.take() for _ in range(5)] == [
        "10.0.0.3",
        "10.0.0.4",
        "10.0.0.5",
        "10.0.0.6",
        "10.0.0.2",
    ]
    with pytest.raises(LookupError, match=r"10\.0\.0\.0/29"):
        pool.take()


def test_only_who_listens_is_told_and_only_while() -> None:
    changes, told = Changes(), []
    stop = changes.listen([("Secret", "ns", "a")], lambda kind, name: told.append(name))
    changes.notify("Secret", "ns", "a")
    changes.notify("Secret", "other", "a")
    changes.notify("ConfigMap", "ns", "a")
    stop()
    changes.notify("Secret", "ns", "a")
    assert told == ["a"]


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "is not JSON"), ("{}", "KeyError"), (None, "cannot be read")]
)
def test_a_configuration_that_cannot_be_used_is_one_line(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    path = tmp_path / "node.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert "\n" not in str(caught.value)
