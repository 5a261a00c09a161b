"""The functions that Kubernetes adds to CEL, and the bound on what rules take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded.api.raw import Answer, Raw

Define = Callable[..., str]
Json = dict[str, Any]
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}


@pytest.fixture
def things(crd: Define, namespace: str) -> Callable[..., str]:
    """Defines a kind with a rule; returns the path of its objects."""

    def define(rule: str, properties: Json, **more: Any) -> str:
        validations = [{"rule": rule, **more}]
        spec = {"type": "object", "properties": properties, "x-kubernetes-validations": validations}
        return f"{crd(spec)}/namespaces/{namespace}/things"

    return define


def made(api: Raw, path: str, spec: Json, name: str = "a") -> Answer:
    return api.post(path, {"metadata": {"name": name}, "spec": spec})


@pytest.mark.parametrize(
    "rule",
    [
        "quantity('1Gi').isGreaterThan(quantity('500Mi'))",
        "quantity('500m').isLessThan(quantity('1'))",
        "quantity('1000m') == quantity('1') && quantity('1').compareTo(quantity('2')) == -1",
        "quantity('50k').add(20).asInteger() == 50020",
        "quantity('50k').sub(quantity('20k')).isInteger() && quantity('-1').sign() == -1",
        "quantity('100m').asApproximateFloat() < 0.2 && !quantity('100m').isInteger()",
        "isQuantity('20Mi') && !isQuantity('20Mo')",
        "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
        "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified()",
        "ip('10.0.0.1').isGlobalUnicast() && !ip('224.0.0.1').isGlobalUnicast()",
        "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast()",
        "ip.isCanonical('2001:db8::1') && !ip.isCanonical('2001:db8:0::1')",
        "string(ip('2001:db8::0:1')) == '2001:db8::1'",
        "isIP('::1') && !isIP('1.2.3') && !isIP('01.2.3.4') && !isIP('::ffff:1.2.3.4')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3')",
        "!cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "!cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && cidr('::/64').prefixLength() == 64",
        "string(cidr('10.1.2.3/8').ip()) == '10.1.2.3'",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/255.0.0.0')",
        "url('https://h.example:80/a?x=1&x=2').getHost() == 'h.example:80'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('https://h/').getPort() == ''",
        "url('https://h:80/a b').getEscapedPath() == '/a%20b' && url('/p').getScheme() == ''",
        "url('https://h/?x=1&x=2&y').getQuery() == {'x': ['1', '2'], 'y': ['']}",
        "isURL('/p') && !isURL('p') && !isURL('http://a b/')",
        "sets.contains([1, 2, 3], [2, 3]) && !sets.contains([1], [2])",
        "sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])",
        "!sets.intersects([], []) && sets.contains([], [])",
        "'abc'.contains('b') && self.l.contains('a') == true || size(self.l) == 0",
        "!format.dns1123Label().validate('a-b').hasValue()",
        "format.dns1123Label().validate('A').value().size() == 1",
        "format.named('uuid').hasValue() && !format.named('none').hasValue()",
        "!format.named('dns1123Subdomain').value().validate('a.b').hasValue()",
        "!format.qualifiedName().validate('a.b/C_d').hasValue()",
        "format.labelValue().validate('-').hasValue() && format.date().validate('x').hasValue()",
        "!format.dns1123LabelPrefix().validate('a-').hasValue()",
        "optional.of(1).orValue(2) == 1 && optional.none().orValue(2) == 2",
        "optional.none().or(optional.of(3)).value() == 3",
        "!optional.ofNonZeroValue('').hasValue()",
        "'%d of %s in %.2f'.format([1, ['a', true], 1.5]) == '1 of [a, true] in 1.50'",
        "'%x %b %%'.format([255, 5]) == 'ff 101 %' && strings.quote('a\"') == '\"a\\\\\"\"'",
        "[1, 2, 3].sum() == 6 && [1, 2].min() == 1 && ['a', 'b'].max() == 'b'",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [].sum() == 0",
        "'a12b3'.find('[0-9]+') == '12' && 'a12b3'.findAll('[0-9]+', 1) == ['12']",
        "['ip'].all(ip, ip == 'ip') && ['x'].exists(sets, sets == 'x')",
    ],
)
def test_what_the_library_says(api: Raw, things: Callable[..., str], rule: str) -> None:
    path = things(rule, {"l": _TEXTS})
    answer = made(api, path, {"l": []})
    assert answer.code == 201, answer.message
    opposite = things(f"!({rule})", {"l": _TEXTS})
    assert made(api, opposite, {"l": []}).code == 422


@pytest.mark.parametrize(
    "rule", ["quantity(self.s).isInteger()", "ip(self.s).isLoopback()", "url(self.s) == url('/')"]
)
def test_a_text_that_is_none_fails_the_request(
    api: Raw, things: Callable[..., str], rule: str
) -> None:
    answer = made(api, things(rule, {"s": _TEXT}), {"s": "none of it"})
    assert answer.code == 422
    assert f"evaluating rule: {rule}" in answer.message


def test_an_old_value_may_be_optional(api: Raw, things: Callable[..., str]) -> None:
    rule = "!oldSelf.hasValue() || oldSelf.value().n <= self.n"
    path = things(rule, {"n": {"type": "integer"}}, optionalOldSelf=True)
    assert made(api, path, {"n": 5}).code == 201
    assert api.patch(f"{path}/a", {"spec": {"n": 6}}).code == 200
    assert api.patch(f"{path}/a", {"spec": {"n": 4}}).code == 422


def test_a_rule_that_takes_too_long_fails_the_request_alone(
    api: Raw, things: Callable[..., str]
) -> None:
    rule = "self.l.all(a, self.l.all(b, self.l.all(c, self.l.all(d, a + b + c + d >= 0))))"
    path = things(rule, {"l": _NUMBERS})
    began = time.monotonic()
    answer = made(api, path, {"l": list(range(200))})
    assert answer.code == 422
    assert "actual cost limit exceeded" in answer.message
    assert answer.message.endswith(f"exceeds limit for rule: {rule}")
    assert time.monotonic() - began < 50
    assert made(api, path, {"l": [1]}).code == 201
