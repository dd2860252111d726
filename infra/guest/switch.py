"""The switch: place what is new, start it, see it answer; else give the old one its place back."""

import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from . import health, hints, placed, ports, state, systemd
from .document import Deploy, Health
from .failure import StepFailed
from .host import Host
from .placed import Placed
from .report import Report
from .state import State

START_SPARE_S = 30
MOVING_S = 20.0
POLL_S = 0.2
STOP_LIMIT_S = 900  # the unit's own limit is shorter


def digest(document: Deploy, release: Path) -> str:
    """What a running service was started from: a change of any of it needs a restart."""
    own = (f"{document.unit}.service", f"{document.unit}.socket")
    parts = [
        release.name,
        document.root,
        document.env_file.path,
        hashlib.sha256(document.env_file.text.encode()).hexdigest(),
        sorted(pair for pair in document.units.items() if pair[0] in own),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def demand_free_port(document: Deploy, memory: State, host: Host) -> None:
    """StepFailed where a process that is not this service's holds its port.

    A neighbour of ours may be on its way to another port, in a step of its own: it is waited for.
    """
    deadline = time.monotonic() + MOVING_S
    while (who := _stranger(document, memory, host)) is not None:
        if not systemd.is_from_here(who, host) or time.monotonic() > deadline:
            raise StepFailed(
                f"port {document.port}: taken by {who}",
                remedy="stop that one, or give the service another `port`",
            )
        time.sleep(POLL_S)


def _stranger(document: Deploy, memory: State, host: Host) -> str | None:
    """Who holds the port, a socket unit by its name; None where nobody or this service does."""
    names = [*dict.fromkeys([*document.units, *memory.units])]
    ours: set[int] = set()
    for unit in systemd.show(names, host).values():
        ours |= ports.processes_of(unit.cgroup, host)
    who = ports.stranger(document.host, document.port, ours, host)
    if who is None:
        return None
    # systemd itself holds the ports of all socket units, before their services start.
    socket = systemd.socket_on(document.port, host)
    return None if socket in names else socket or who


class Switch:
    """One switch of a service to a release."""

    def __init__(
        self, document: Deploy, release: Path, memory: State, host: Host, report: Report
    ) -> None:
        self._document = document
        self._release = release
        self._memory = memory
        self._host = host
        self._report = report
        self._service = f"{document.unit}.service"
        socket = f"{document.unit}.socket"
        self._socket = socket if socket in document.units else None
        self._wanted = digest(document, release)
        self._was = placed.note(document, memory, host)
        self._changed: list[str] = []

    def run(self) -> tuple[list[str], float]:
        """Make the release run; gives what changed, and the seconds from start to health.

        StepFailed, with the old release in its place again, where the new one does not get
        healthy. What is as it should be is not touched, only asked for its health.
        """
        if self._memory.confirmed != self._wanted:
            # A step that is killed from here on leaves a restart to the next one.
            state.save(self._host, self._document.service, replace(self._memory, confirmed=""))
        try:
            self._remove_stale()
            self._changed += placed.place(self._document, self._release, self._host)
            self._start()
            seconds = self._gate()
        except StepFailed as failure:
            raise self._explained(failure) from failure
        except OSError as error:
            raise self._explained(StepFailed.of(error)) from error
        self._memory.confirmed, self._memory.release = self._wanted, self._release.name
        self._memory.answers = {
            "health": asdict(self._document.health),
            "host": self._document.host,
            "port": self._document.port,
            "encrypted": self._document.tls is not None,
        }
        return self._changed, seconds

    def _remove_stale(self) -> None:
        stale = [name for name in self._memory.units if name not in self._document.units]
        if stale:
            removed = systemd.remove(stale, STOP_LIMIT_S, self._host, self._report)
            self._changed += [f"{name} removed" for name in removed]

    def _start(self) -> None:
        units = systemd.show(placed.units_of(self._document), self._host)
        opens = self._socket is not None and (
            not units[self._socket].is_active
            or self._was.units[self._socket] != self._document.units[self._socket].encode()
        )
        running = units[self._service].is_active
        if running and not opens and self._memory.confirmed == self._wanted:
            return
        if self._socket is not None and opens:
            self._open(self._socket)
        self._changed.append("restarted" if running else "started")
        self._report.say(f"starting {self._service} with release {self._release.name}")
        try:
            systemd.start(self._service, self._start_limit_s, self._host)
        except StepFailed as failure:
            raise StepFailed(f"{self._service} did not start") from failure

    def _open(self, socket: str) -> None:
        """Open the port anew: systemd opens no socket while its service runs."""
        systemd.stop([socket, self._service], STOP_LIMIT_S, self._host)
        demand_free_port(self._document, self._memory, self._host)
        self._report.say(f"opening port {self._document.port}")
        systemd.start(socket, systemd.QUICK_S, self._host)

    def _gate(self) -> float:
        document = self._document
        seconds = health.gate(
            document.health,
            document.host,
            document.port,
            self._report,
            lambda: self._broken(self._service),
            encrypted=document.tls is not None,
        )
        if self._changed:
            self._report.say(f"healthy after {seconds:.1f} s")
        return seconds

    def _broken(self, service: str) -> str | None:
        unit = systemd.show([service], self._host)[service]
        if unit.active in {"failed", "inactive"} or unit.sub == "auto-restart":
            return f"{unit.name} ended ({unit.result})"
        return None

    def _explained(self, failure: StepFailed) -> StepFailed:
        """The failure with the journal of the new one, after the old one has its place again."""
        detail = [failure.detail] if failure.detail else []
        if elsewhere := self._elsewhere():
            detail.append(elsewhere)
        detail.append(f"the last lines of {self._service}:")
        journal = systemd.journal(self._service, self._host)
        detail.append(journal)
        try:
            outcome = self._put_back()
        except (StepFailed, OSError) as second:
            outcome = f"and what ran before did not get its place back either ({second})"
        return StepFailed(
            f"{failure.problem}; {outcome}",
            detail="\n".join(detail),
            remedy=failure.remedy
            or hints.hint(journal)
            or "mend what the lines above say and run `pulumi up` again",
        )

    def _elsewhere(self) -> str:
        unit = systemd.show([self._service], self._host)[self._service]
        pids = ports.processes_of(unit.cgroup, self._host)
        heard = ports.held_by(pids, self._host) if pids else []
        shown = ", ".join(str(item) for item in heard if item.port != self._document.port)
        return f"the service listens on {shown}, not on {self._document.port}" if shown else ""

    def _put_back(self) -> str:
        """Put the old release back and start it; says in words what serves now."""
        if not self._changed:
            return "nothing was changed"
        self._report.say("putting back what ran before")
        present = [
            name
            for name in placed.units_of(self._document)
            if systemd.file_of(name, self._host).is_file()
        ]
        systemd.stop(present, STOP_LIMIT_S, self._host)
        confirmed, self._memory.confirmed = self._memory.confirmed, ""
        placed.put_back(self._was, self._document, self._host)
        if not self._start_old(self._was):
            return "nothing ran before, so it is stopped"
        if (problem := self._old_problem(self._was)) is not None:
            return f"release {self._memory.release} has its place again, {problem}"
        self._memory.confirmed = confirmed
        return f"release {self._memory.release} serves again"

    def _start_old(self, was: Placed) -> bool:
        old = [name for name, content in was.units.items() if content is not None]
        if not old or not self._memory.release:
            return False
        old.sort(key=lambda name: not name.endswith(".socket"))
        systemd.enable(old, self._host)
        for name in old:
            systemd.start(name, self._start_limit_s, self._host)
        return True

    def _old_problem(self, was: Placed) -> str | None:
        """Why what was put back does not serve, None where it answers as it did before."""
        answers = self._memory.answers
        if not answers:
            return "though nobody noted what it must answer"
        service = next(
            name
            for name, text in was.units.items()
            if text and name.endswith(".service") and not name.endswith("-certificate.service")
        )
        try:
            health.gate(
                Health(**answers["health"]),
                answers["host"],
                answers["port"],
                self._report,
                lambda: self._broken(service),
                encrypted=answers.get("encrypted", False),
            )
        except StepFailed as failure:
            return f"but is not healthy either ({failure.problem})"
        return None

    @property
    def _start_limit_s(self) -> float:
        return self._document.health.limit_s + START_SPARE_S
