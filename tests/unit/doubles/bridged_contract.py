"""Asks a double of a bridged provider what a contract's cases asked the real one.

A case's question is a text; most of them say everything, in one of a few forms.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.unit.doubles.provider_client import KIND, REQUESTS, Asking, Plugin
from tests.unit.doubles.recorder import Recorder

from pulumi.runtime import rpc  # isort: skip
from pulumi.runtime.proto import provider_pb2  # isort: skip

Json = dict[str, Any]
REQUESTS["CheckConfig"] = provider_pb2.CheckRequest
PREVIEWED = re.compile(r"Create in a preview (?P<inputs>\{.*\})\Z")
CREATED = re.compile(r"Create (?P<inputs>\{.*?\})(; the API answers .*)?\Z")
CHECKED = re.compile(r"(?P<method>Check|CheckConfig) (?P<inputs>\{.*\})\Z")
DIFFED = re.compile(
    r"(?P<method>Diff|Update): created with (?P<before>\{.*\}), now (?P<now>\{.*?\})"
    r"( without (?P<without>\w+))?( and the state says (?P<says>\{.*\}))?\Z"
)
FORCED = re.compile(
    r"the API answers (?P<method>[A-Z]+) (?P<part>\w+) (?P<once>once )?with (?P<status>\d+) "
    r"(?P<errors>[\[{].*)\Z"
)


class Case:
    """One case: what was asked, and what the answer is held to."""

    def __init__(self, name: str, raw: Json) -> None:
        self.name, self.asked = name, raw["asked"]
        self.expected: Json = normal(raw["answer"])

    def configuration(self, cases: Mapping[str, Any]) -> Json | None:
        """The configuration that the case is asked under, where it is not the usual one."""
        base = self.name.removesuffix("-use").removesuffix("-check")
        for name in (self.name, base, f"{base}-check"):
            asked = cases.get(name, {}).get("asked", "")
            if asked.startswith(("CheckConfig ", "Configure ")):
                said: Json = json.loads(asked.partition(" ")[2])
                return said
        return None


class Subject:
    """The double, and the API that it talks to."""

    def __init__(
        self, package: str, plugin: Plugin, recorder: Recorder, url: str, names: Mapping[str, str]
    ) -> None:
        self.package, self.plugin, self.recorder, self.url = package, plugin, recorder, url
        self._names = names

    def filled(self, value: Any) -> Any:
        """`value` with the contract's placeholders filled in."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str):
            for name, real in {"<URL>": self.url, **self._names}.items():
                value = value.replace(name, real)
        return value

    def bared(self, value: Any) -> Any:
        """The contract's form of `value`."""
        text = json.dumps(value)
        known = {self.url: "<URL>", **{real: name for name, real in self._names.items()}}
        for real, name in known.items():
            text = text.replace(real, name)
        return json.loads(text)

    def ask(self, method: str, **fields: Any) -> Json:
        self.recorder.requests.clear()
        return self.plugin.ask(method, **self.filled(fields))

    def configure(self, config: Json) -> Json:
        args = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
        return self.ask("Configure", args=args)

    def urn(self, token: str) -> str:
        return f"urn:pulumi:one::tried::{token}::x"

    def create(self, token: str, inputs: Json, *, preview: bool = False) -> Json:
        return self.ask("Create", urn=self.urn(token), properties=inputs, preview=preview)

    def made(self, token: str, inputs: Json) -> Json:
        answer = self.create(token, inputs)
        assert "properties" in answer, answer
        state: Json = answer["properties"]
        return state

    def made_away(self, token: str, state: Json) -> None:
        assert "error" not in self.delete(token, state)

    def update(self, token: str, state: Json, inputs: Json) -> Json:
        return self.ask(
            "Update", urn=self.urn(token), id=state["id"], olds=state, news=self.filled(inputs)
        )

    def diff(self, token: str, state: Json, inputs: Json) -> Json:
        return self.ask("Diff", urn=self.urn(token), id=state["id"], olds=state, news=inputs)

    def delete(self, token: str, state: Json) -> Json:
        return self.ask("Delete", urn=self.urn(token), id=state["id"], properties=state)

    def read(self, token: str, id_: str, state: Any = None, inputs: Any = None) -> Json:
        fields = {"properties": state, "inputs": inputs} if state is not None else {}
        return self.ask("Read", urn=self.urn(token), id=id_, **fields)

    def invoke(self, name: str, args: Json) -> Json:
        token = f"{self.package}:index/{name}:{name}"
        return self.ask("Invoke", tok=token, args=args)

    def force(self, asked: str) -> None:
        """Have the API answer what the question says it answers."""
        if found := FORCED.search(asked):
            errors = json.loads(found["errors"])
            body = errors
            if isinstance(errors, list):
                body = {"success": False, "errors": errors, "messages": [], "result": None}
            answer = int(found["status"]), body
            times = 1 if found["once"] else None
            self.recorder.forced.append([found["method"], f"/{found['part']}", answer, times])

    def has_no_answer(self, token: str, inputs: Json, *, limit_s: float) -> bool:
        self.configure({"apiToken": "x" * 40, "baseUrl": "<URL>"})
        self.recorder.requests.clear()
        asking = Asking(self.plugin.connection, "Create", urn=self.urn(token), properties=inputs)
        asking.join(limit_s)
        waits = asking.is_alive()
        # Nobody waits for the rest of it.
        self.plugin.ask("Cancel")
        asking.answer()
        return waits


def steps(  # noqa: PLR0911 - a form, a branch
    subject: Subject, case: Case, token: str, config: Json, use: Callable[[Subject], Any]
) -> Json | None:
    """The answer to a question in one of the usual forms; None for any other."""
    asked = case.asked
    if asked.startswith("then create"):
        return use(subject)  # type: ignore[no-any-return]
    if asked.startswith("Configure "):
        return subject.configure(config)
    if found := CHECKED.match(asked):
        inputs = json.loads(found["inputs"])
        if found["method"] == "CheckConfig":
            urn = f"urn:pulumi:one::tried::pulumi:providers:{subject.package}::c"
            return subject.ask("CheckConfig", urn=urn, news=inputs)
        return subject.ask("Check", urn=subject.urn(token), news=inputs)
    if found := PREVIEWED.match(asked):
        return subject.create(token, json.loads(found["inputs"]), preview=True)
    if found := CREATED.match(asked):
        return subject.create(token, json.loads(found["inputs"]))
    if found := DIFFED.match(asked):
        before = json.loads(found["before"])
        state = subject.made(token, before)
        now = {**before, **json.loads(found["now"])}
        now.pop(found["without"] or "", None)
        state |= json.loads(found["says"] or "{}")
        if found["method"] == "Diff":
            return subject.diff(token, state, now)
        return subject.update(token, state, now)
    return None


def comparable(subject: Subject, answer: Json, case: Case) -> Json:
    """`answer` in the contract's form, with the requests that it took."""
    told: Json = normal(subject.bared(plain(answer)))
    requests = [wire(request, case) for request in subject.recorder.requests]
    grouped: list[Json] = []
    tried = 1
    for request in requests:
        if grouped and grouped[-1] == request:
            tried += 1
        else:
            grouped.append(request)
    if grouped:
        told["requests"] = normal(subject.bared(grouped))
    if tried > 1:
        told["tried"] = tried
    return told


def wire(request: Json, case: Case) -> Json:
    """A request in the contract's form; headers only where the case tells of them."""
    shown = {"method": request["method"], "path": request["path"]}
    if request["body"] is not None:
        shown["body"] = request["body"]
    headers = request["headers"]
    expected = case.expected.get("requests", [{}])
    if isinstance(expected[0].get("auth"), dict):
        left_out = {"Authorization", "Connection"}
        shown["auth"] = {k: v for k, v in headers.items() if k not in left_out}
        shown["auth"]["Host"] = "<HOST>"
    elif any("auth" in each for each in expected):
        shown["auth"] = headers["Authorization"].partition(" ")[0]
        for name in ("Content-Type", "If-Match"):
            told = any(name in each for each in expected)
            # JSON is what goes without saying.
            if told and headers.get(name, "application/json") != "application/json":
                shown[name] = headers[name]
    return shown


def plain(value: Any) -> Any:
    """The protocol's wrappers in the contract's words."""
    if isinstance(value, dict):
        if value.get(KIND) == rpc._special_secret_sig:
            return {"SECRET": plain(value["value"])}
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return "<UNKNOWN>" if value == rpc.UNKNOWN else value


def normal(value: Any) -> Any:
    """Ids and counters, which are the API's own, made alike; numbers of one kind."""
    if isinstance(value, dict):
        made = {key: normal(each) for key, each in value.items()}
        if isinstance(made.get("version"), float):
            made["version"] = "<VERSION>"
        if isinstance(made.get("changes"), str):
            made.pop("deleteBeforeReplace", None)
        made.pop("seconds", None)
        if isinstance(made.get("failures"), list):
            made["failures"] = sorted(made["failures"], key=json.dumps)
        return made
    if isinstance(value, list):
        return [normal(each) for each in value]
    if isinstance(value, str):
        value = re.sub(r"00000000-0000-4000-8000-0000000\d{5}\b", "<ID>", value)
        return re.sub(r"\b0{29}[0-9a-f]{3}\b", "<ID>", value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
