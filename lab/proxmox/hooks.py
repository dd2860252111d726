"""What the lab's process may exchange or listen to: downloads, node power, a record of traffic."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.guests import Log
from lab.proxmox.storage.fetch import UrlFacts, fetch_url, head_url

Exchange = dict[str, Any]


@dataclass(frozen=True)
class Hooks:
    """`fetch(url, destination, verify, log)` downloads, `head(url, verify)` describes a URL.

    `uptime_s` is the node's; by default that of the machine. `node_power` takes "reboot" or
    "shutdown". `on_exchange` is given every request and answer. `fingerprint` is the SHA-256 of the
    API's certificate, as Proxmox shows it. `no_guests` is what a lab without containers says when
    one is asked for.
    """

    fetch: Callable[[str, Path, bool, Log], Awaitable[None]] = fetch_url
    head: Callable[[str, bool], Awaitable[UrlFacts]] = head_url
    uptime_s: Callable[[], float] = time.monotonic
    node_power: Callable[[str], Awaitable[None]] | None = None
    on_exchange: Callable[[Exchange], None] | None = None
    no_guests: str = field(
        default="this lab has no containers: they need Linux, root and LXC; "
        "`bin/lab status` says what is missing"
    )
    fingerprint: str = ""
    refusal_delay_s: float = 3.0
    sample_every_s: float = 10.0
    lock_timeout_s: float = 10.0
    create_lock_timeout_s: float = 5.0
