"""Wait for the node, by a watch on the API from outside.

Without a client library: that would take longer to import than the node takes to come up.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit


def wait_ready(url: str, authority: str, token: str, node: str, deadline: float) -> str:
    """Wait until `node` is Ready; returns what was seen last where it is not.

    That is so after `deadline` seconds, or without an API. Empty where it is Ready.
    """
    last = "it has not registered"
    end = time.monotonic() + deadline
    context = ssl.create_default_context(cadata=authority)
    address = urlsplit(url)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port, timeout=deadline, context=context
    )
    try:
        connection.request(
            "GET", "/api/v1/nodes?watch=1", headers={"Authorization": f"Bearer {token}"}
        )
        answer = connection.getresponse()
        while time.monotonic() < end and (line := answer.readline()):
            seen = json.loads(line)["object"]
            if seen.get("metadata", {}).get("name") == node:
                last = _condition(seen)
                if last == "True":
                    return ""
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        last = str(error) or type(error).__name__
    finally:
        connection.close()
    return f"its condition is {last}" if last in {"False", "Unknown"} else last


def _condition(node: dict[str, Any]) -> str:
    conditions = node.get("status", {}).get("conditions", [])
    found: list[str] = [item["status"] for item in conditions if item["type"] == "Ready"]
    return found[0] if found else "it has no condition Ready"
