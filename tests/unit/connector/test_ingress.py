"""Rules send each request where Cloudflare's would, and say what they cannot do."""

import pytest

from lab.connector.ingress import Ingress

RULES = {
    "ingress": [
        {"hostname": "chat.example.org", "path": "^/api/v[12]/", "service": "http://api:1"},
        {"hostname": "chat.example.org", "path": "\\.png$", "service": "http://pictures:1"},
        {"hostname": "Chat.Example.org", "service": "http://chat:1"},
        {"hostname": "*.example.org", "service": "http://rest:1"},
        {"hostname": "*", "path": "/health", "service": "http_status:204"},
        {"service": "http_status:404"},
    ]
}


@pytest.mark.parametrize(
    ("host", "path", "service"),
    [
        ("chat.example.org", "/api/v2/x", "http://api:1"),
        ("chat.example.org", "/api/v3/x", "http://chat:1"),
        ("chat.example.org", "/a/b.png", "http://pictures:1"),
        ("chat.example.org", "/", "http://chat:1"),
        ("a.b.example.org", "/api/v1/", "http://rest:1"),
        ("example.org", "/", "http_status:404"),
        ("badexample.org", "/", "http_status:404"),
        ("other.test", "/x/health", "http_status:204"),
        ("other.test", "/", "http_status:404"),
    ],
)
def test_the_first_rule_that_fits_wins(host: str, path: str, service: str) -> None:
    assert Ingress.of(RULES).find(host, path)[1].service == service


@pytest.mark.parametrize(
    ("hostname", "host"),
    [
        ("bücher.example.org", "xn--bcher-kva.example.org"),
        ("BU\u0308CHER.example.org", "xn--bcher-kva.example.org"),
        ("*.straße.example.org", "a.xn--strae-oqa.example.org"),
    ],
)
def test_a_name_in_letters_of_its_own_is_asked_for_in_its_ascii_form(
    hostname: str, host: str
) -> None:
    rules = [{"hostname": hostname, "service": "http://a"}, {"service": "http_status:404"}]
    assert Ingress.of({"ingress": rules}).find(host, "/")[0] == 0


def test_a_rules_own_settings_win_over_the_common_ones() -> None:
    ingress = Ingress.of(
        {
            "originRequest": {"noTLSVerify": True, "connectTimeout": 5, "httpHostHeader": "a"},
            "ingress": [
                {"service": "https://x", "originRequest": {"noTLSVerify": False,
                                                           "keepAliveTimeout": "1m30s"}},
            ],
        }
    )  # fmt: skip
    origin = ingress.rules[0].origin
    assert (origin.no_tls_verify, origin.connect_timeout_s) == (False, 5)
    assert (origin.http_host_header, origin.keep_alive_timeout_s) == ("a", 90)


def test_without_rules_nothing_is_served() -> None:
    assert Ingress.of({}).find("a", "/")[1].status == 503


@pytest.mark.parametrize("service", ["ssh://x:22", "tcp://x:1", "hello_world", "http_status:101"])
def test_a_rule_for_the_real_program_alone_does_not_spoil_the_others(service: str) -> None:
    rules = [{"hostname": "a.test", "service": service}, {"service": "http://b"}]
    ingress = Ingress.of({"ingress": rules})
    assert ingress.find("a.test", "/")[1].is_beyond
    assert not ingress.find("b.test", "/")[1].is_beyond


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("^/[[:digit:]]+$", "/12", True),
        ("^/[[:digit:]]+$", "/digit", False),
        ("^/[[:alpha:]_]+\\z", "/a_b", True),
        ("^/\\d$", "/\u0663", False),
        ("(?i)^/API", "/api/x", True),
        ("^/(?P<version>v[12])/", "/v2/", True),
        ("^/(?<version>v[12])/", "/v2/", True),
        (r"^/\(?<version>", "/(<version>", True),
        ("(?U)^/a+$", "/aa", True),
        ("(?iU)^/a+$", "/AA", True),
        ("^/(?U-i:a+)$", "/aa", True),
        ("^/a{00002}$", "/aa", False),
        ("^/a{00002}$", "/a{00002}", True),
    ],
)
def test_paths_are_matched_as_re2_matches_them(pattern: str, path: str, *, fits: bool) -> None:
    rules = [{"path": pattern, "service": "http://a"}, {"service": "http_status:404"}]
    assert (Ingress.of({"ingress": rules}).find("a.test", path)[0] == 0) is fits


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"service": "http://x", "path": "^/(?!api)"}, "rule 0: path '^/(?!api)' is no pattern"),
        ({"service": "ftp://x"}, "rule 0: service 'ftp://x' is nothing that this stand-in can do"),
        ({"service": "http_status:40x"}, "rule 0: http_status:40x is no status"),
        ({"service": "http_status:7"}, "rule 0: http_status:7 is no status"),
        ({"service": "http://x", "path": "("}, "rule 0: path '(' is no pattern"),
        (
            {"service": "http://x", "originRequest": {"connectTimeout": "soon"}},
            "rule 0: connectTimeout: 'soon' is no duration",
        ),
    ],
)
def test_a_rule_that_cannot_be_followed_is_named(rule: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match="rule 0") as error:
        Ingress.of({"ingress": [rule]})
    assert str(error.value).startswith(said)
