"""How requests are refused before any call sees them, and in which order."""

import time
from urllib.parse import quote

import pytest

from lab.proxmox.hooks import Hooks
from tests.unit.proxmox.conftest import TEMPLATE, Api, Serve
from tests.unit.proxmox.double import GuestsDouble

LXC = "/nodes/pve/lxc"


async def test_a_request_without_credentials_gets_an_empty_401(api: Api) -> None:
    answer = await api.with_headers({})("GET", "/version")
    assert (answer.refusal, answer.body) == ((401, "No ticket"), None)
    assert answer.headers["Connection"] == "close"


async def test_a_401_is_delayed_so_that_guessing_is_slow(
    serve: Serve, guests: GuestsDouble
) -> None:
    api = await serve(guests, Hooks(refusal_delay_s=0.2))
    began = time.monotonic()
    assert (await api.with_headers({})("GET", "/version")).status == 401
    assert time.monotonic() - began >= 0.2
    assert Hooks().refusal_delay_s == 3


@pytest.mark.parametrize(
    "header",
    [
        "PVEAPIToken=admin@pve!full=00000000-0000-0000-0000-000000000000",
        "PVEAPIToken=admin@pve!nope=00000000-0000-0000-0000-000000000000",
        "PVEAPIToken=nobody@pve!x=00000000-0000-0000-0000-000000000000",
        "PVEAPIToken=nonsense",
    ],
)
async def test_a_wrong_token_is_refused(api: Api, header: str) -> None:
    answer = await api.with_headers({"Authorization": header})("GET", "/version")
    assert (answer.refusal, answer.body) == ((401, "Authentication failed!"), None)


async def test_a_disabled_user_is_refused_with_token_and_ticket(api: Api) -> None:
    for headers in (api.token_headers("gone@pve!tok"), api.ticket_headers("gone@pve")):
        answer = await api.with_headers(headers)("GET", "/version")
        assert answer.refusal == (401, "Authentication failed!")


async def test_a_token_may_be_written_with_a_blank(api: Api) -> None:
    header = api.token_headers("admin@pve!full")["Authorization"]
    blank = {"Authorization": header.replace("PVEAPIToken=", "PVEAPIToken ", 1)}
    assert (await api.with_headers(blank)("GET", "/version")).status == 200


async def test_a_cookie_wins_over_a_token(api: Api) -> None:
    headers = api.token_headers("admin@pve!full") | {"Cookie": "PVEAuthCookie=PVE:x@pam:0::y"}
    assert (await api.with_headers(headers)("GET", "/version")).status == 401


async def test_a_write_by_ticket_needs_its_csrf_token(api: Api) -> None:
    headers = api.ticket_headers("root@pam")
    for csrf in ("", "00000000:forged", api.core.tickets.csrf("admin@pve")):
        refused = api.with_headers(headers | {"CSRFPreventionToken": csrf})
        answer = await refused("POST", "/pools", poolid="p")
        assert answer.refusal == (401, "Permission denied - invalid csrf token")
    assert (await api.with_headers(headers)("POST", "/pools", poolid="p")).status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nope"), ("POST", "/version")])
async def test_an_unknown_path_or_method_is_not_implemented(
    api: Api, method: str, path: str
) -> None:
    answer = await api(method, path)
    text = f"Method '{method} {path}' not implemented"
    assert answer.refusal == (501, text)
    assert answer.body == {"data": None, "message": f"{text}\n"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_body_where_none_belongs_is_refused(api: Api, method: str) -> None:
    answer = await api(method, f"{LXC}/900", raw="force=1")
    assert answer.refusal == (501, f"Unexpected content for method '{method}'")


async def test_a_body_over_512_kib_is_refused(api: Api) -> None:
    headers = api.headers | {"Content-Type": "application/x-www-form-urlencoded"}
    long = "comment=" + "x" * (512 * 1024)
    answer = await api.with_headers(headers)("POST", "/pools", raw=long)
    assert answer.refusal == (501, "for data too large")


async def test_answers_have_proxmox_content_type(api: Api) -> None:
    for path in ("/version", "/nope"):
        answer = await api("GET", path)
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


async def test_a_good_answer_keeps_the_connection_and_a_bad_one_closes_it(api: Api) -> None:
    assert "Connection" not in (await api("GET", "/version")).headers
    assert (await api("GET", "/nope")).headers["Connection"] == "close"


async def test_path_and_body_must_agree(api: Api) -> None:
    answer = await api("PUT", f"{LXC}/900/config", vmid=901, cores=1)
    text = "duplicate parameter (already defined in URI) with conflicting values!"
    assert answer.refusal == (400, text)


async def test_a_json_body_is_read_like_a_form(api: Api) -> None:
    headers = api.headers | {"Content-Type": "application/json"}
    body = '{"cores": 2, "onboot": true, "delete": ["tags", "swap"]}'
    assert (await api.with_headers(headers)("PUT", f"{LXC}/900/config", raw=body)).data is None
    config = await api.config(900)
    assert (config["cores"], config["onboot"]) == (2, 1)
    assert not {"tags", "swap"} & set(config)


async def test_a_call_closed_to_tokens_says_so(api: Api) -> None:
    token = api.as_token("admin@pve!full")
    answer = await token("PUT", "/access/password", userid="plain@pve", password="long-enough")
    assert answer.refusal == (
        403,
        (
            "Permission check failed (URI '/access/password' not available with API token, "
            "need proper ticket."
        ),
    )


async def test_rights_come_before_the_node_and_the_node_before_parameters(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    bad = {"cores": "many"}
    refused = await plain("PUT", "/nodes/other/lxc/900/config", **bad)
    assert refused.refusal == (
        403,
        (
            "Permission check failed (/vms/900, VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|"
            "VM.Config.Network|VM.Config.Options)"
        ),
    )
    elsewhere = await api("PUT", "/nodes/other/lxc/900/config", **bad)
    assert elsewhere.status == 500
    assert elsewhere.reason.startswith("hostname lookup 'other' failed - ")
    assert (await api("PUT", f"{LXC}/12345/config", **bad)).errors == {
        "cores": "type check ('integer') failed - got 'many'"
    }
    missing = await api("PUT", f"{LXC}/12345/config", cores=1)
    assert missing.refusal == (500, "Configuration file 'nodes/pve/lxc/12345.conf' does not exist")
    assert missing.body["message"] == f"{missing.reason}\n"


async def test_all_bad_parameters_are_reported_together(api: Api) -> None:
    answer = await api(
        "POST",
        LXC,
        vmid=7,
        memory=8,
        cores=9000,
        onboot="yes",
        arch="vax",
        hostname="a_b",
        swap="1.5",
        net0="bridge=vmbr0,foo=1",
        nonsense=1,
        unique=1,
        password="abc",
    )
    unknown = (
        "property is not defined in schema and the schema does not allow additional properties"
    )
    assert answer.errors == {
        "vmid": "invalid format - value does not look like a valid VM ID\n",
        "ostemplate": "property is missing and it is not optional",
        "memory": "value must have a minimum value of 16",
        "cores": "value must have a maximum value of 8192",
        "onboot": "type check ('boolean') failed - got 'yes'",
        "arch": "value 'vax' does not have a value in the enumeration "
        "'amd64, i386, arm64, armhf, riscv32, riscv64'",
        "hostname": "invalid format - value does not look like a valid DNS name\n",
        "swap": "type check ('integer') failed - got '1.5'",
        "net0": f"invalid format - format error\nnet0.foo: {unknown}\n"
        "net0.name: property is missing and it is not optional\n",
        "nonsense": unknown,
        "restore": "missing property required by 'unique'",
        "password": "value must be at least 5 characters long",
    }


async def test_a_repeated_key_is_a_list_only_where_a_list_is_meant(api: Api) -> None:
    assert (await api("PUT", f"{LXC}/900/config", delete=["tags", "swap"])).data is None
    answer = await api("POST", LXC, vmid=111, ostemplate=TEMPLATE, hostname=["a", "b"])
    assert answer.errors["hostname"].startswith("type check ('string') failed - got 'ARRAY(0x")


async def test_an_escaped_slash_in_a_volume_is_read(api: Api) -> None:
    path = "/nodes/pve/storage/local/content/"
    plain = await api.get(path + TEMPLATE)
    assert plain["format"] == "tzst"
    assert (await api.get(path + TEMPLATE.replace("/", "%2F"))) == plain


async def test_half_a_character_is_refused_before_it_spoils_the_state(api: Api) -> None:
    sender = api.with_headers(api.headers | {"Content-Type": "application/json"})
    for body in (r'{"description": "\ud800"}', r'{"\ud800": "x"}'):
        answer = await sender("PUT", f"{LXC}/900/config", raw=body)
        assert answer.status == 400
        assert answer.reason.startswith("unable to parse the request's body: ")
    assert "description" not in await api.config(900)
    assert (await api("PUT", f"{LXC}/900/config", cores=1)).data is None


@pytest.mark.parametrize("text", ["a\rb", "a\r\nX-Injected: 1", "a\x00b"])
async def test_an_error_quotes_what_no_header_can_hold(api: Api, text: str) -> None:
    answer = await api("POST", LXC, vmid=111, ostemplate=f"local:vztmpl/{text}")
    assert answer.status == 500
    assert answer.reason.startswith("unable to parse directory volume name 'vztmpl/a")
    assert text in answer.body["message"]
    assert "X-Injected" not in answer.headers
    unknown = await api("GET", f"/nope/{quote(text)}")
    assert (unknown.status, unknown.reason[:16]) == (501, "Method 'GET /nop")
