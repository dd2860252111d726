"""Access: policies, applications and service tokens."""

import re
from collections.abc import Iterator

from lab.doubles.bridged.attributes import (
    Attribute,
    Kind,
    Many,
    Nested,
    Replace,
    Tf,
    camel,
    one_of,
    output,
)
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.plan import Plan, same
from lab.doubles.cloudflare.standard import AccountOrZoneResource, StandardResource
from lab.doubles.values import UNKNOWN, Value

_RULES = (
    "any_valid_service_token auth_context auth_method certificate cloudflare_account_member "
    "common_name device_posture email email_domain email_list everyone external_evaluation geo "
    "group gsuite ip ip_list linked_app_token login_method oidc okta saml service_token "
    "user_risk_score"
)
_RULE = Nested(
    (
        *(Attribute(name, Kind.ANY) for name in _RULES.split()),
        Attribute("azure_ad", Kind.ANY, api="azureAD"),
        Attribute("github_organization", Kind.ANY, api="github-organization"),
    )
)
_RULE_LISTS = (
    Attribute("exclude", Many(_RULE, unordered=True), pulumi="excludes"),
    Attribute("include", Many(_RULE, unordered=True), pulumi="includes"),
    Attribute("require", Many(_RULE, unordered=True), pulumi="requires"),
)
_ACCOUNT = Attribute("account_id", replaces=Replace.ALWAYS, sent=False, answered=False)
_ZONE = Attribute("zone_id", replaces=Replace.ALWAYS, sent=False, answered=False)


class Policy(StandardResource):
    """A reusable policy of an account."""

    scope = ("account_id",)
    import_form = "<account_id>/<policy_id>"
    attributes = (
        output("id", keeps=True),
        Attribute(
            "account_id",
            required=True,
            replaces=Replace.ALWAYS,
            description="Identifier.",
            sent=False,
            answered=False,
        ),
        Attribute(
            "decision",
            required=True,
            validators=(one_of("allow", "deny", "non_identity", "bypass"),),
            description=(
                "The action Access will take if a user matches this policy. Infrastructure "
                "application policies can only use the Allow action. Available values: "
                '"allow", "deny", "non_identity", "bypass".'
            ),
        ),
        Attribute("name", required=True, description="The name of the Access policy."),
        Attribute("approval_groups", Kind.ANY),
        Attribute("approval_required", Kind.BOOL),
        Attribute("connection_rules", Kind.ANY),
        *_RULE_LISTS,
        Attribute("isolation_required", Kind.BOOL),
        Attribute("mfa_config", Kind.ANY),
        Attribute("purpose_justification_prompt"),
        Attribute("purpose_justification_required", Kind.BOOL),
        Attribute("session_duration", computed=True, default="24h"),
    )

    def path(self, state: Tf) -> str:
        return f"/accounts/{state['account_id']}/access/policies"


_AMOUNT = r"(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)"
_DURATION = re.compile(rf"0|[-+]?(?:{_AMOUNT})+")


def _a_duration(path: str, value: Value) -> Iterator[str]:
    if isinstance(value, str) and not _DURATION.fullmatch(value):
        yield (
            f'Invalid Attribute Value Match. Attribute {path} "session_duration" only supports '
            '"ns", "us" (or "µs"), "ms", "s", "m", or "h" as valid units, got: ' + value
        )


_SELF_HOSTED = ("self_hosted", "ssh", "vnc", "rdp", "mcp_portal", "mcp", "proxy_endpoint")
_WITH_SESSION = (
    "saas",
    "dash_sso",
    "self_hosted",
    "ssh",
    "vnc",
    "rdp",
    "app_launcher",
    "warp",
    "mcp_portal",
    "mcp",
    "proxy_endpoint",
)
_SHOWN_IN_LAUNCHER = (*_SELF_HOSTED, "saas", "bookmark")
_KINDS = (
    "self_hosted",
    "saas",
    "ssh",
    "vnc",
    "app_launcher",
    "warp",
    "biso",
    "bookmark",
    "dash_sso",
    "infrastructure",
    "rdp",
    "mcp",
    "mcp_portal",
    "proxy_endpoint",
)
_POLICY = Nested(
    (
        Attribute("id"),
        Attribute("precedence", Kind.NUMBER, computed=True),
        Attribute("connection_rules", Kind.ANY),
        Attribute("decision"),
        *_RULE_LISTS,
        Attribute("mfa_config", Kind.ANY),
        Attribute("name"),
    )
)
_DOMAINS = ("domain", "self_hosted_domains", "destinations")


class Application(AccountOrZoneResource):
    """An application of an account or zone."""

    kind = "apps"
    import_form = "<{accounts|zones}/{account_id|zone_id}>/<app_id>"
    attributes = (
        output("id", keeps=True),
        _ACCOUNT,
        _ZONE,
        Attribute("name"),
        Attribute("type", validators=(one_of(*_KINDS),)),
        Attribute("domain", computed=True),
        Attribute("self_hosted_domains", Many(Kind.STRING), computed=True),
        Attribute("destinations", Kind.ANY, computed=True),
        Attribute("policies", Many(_POLICY)),
        Attribute("session_duration", computed=True, validators=(_a_duration,)),
        Attribute("app_launcher_visible", Kind.BOOL, computed=True),
        Attribute("http_only_cookie_attribute", Kind.BOOL, computed=True),
        Attribute("skip_app_launcher_login_page", Kind.BOOL, computed=True),
        Attribute("allow_authenticate_via_warp", Kind.BOOL),
        Attribute("allow_iframe", Kind.BOOL),
        Attribute("allowed_idps", Many(Kind.STRING)),
        Attribute("app_launcher_logo_url"),
        Attribute("auto_redirect_to_identity", Kind.BOOL),
        Attribute("bg_color"),
        Attribute("cors_headers", Kind.ANY),
        Attribute("custom_deny_message"),
        Attribute("custom_deny_url"),
        Attribute("custom_non_identity_deny_url"),
        Attribute("custom_pages", Many(Kind.STRING)),
        Attribute("enable_binding_cookie", Kind.BOOL),
        Attribute("footer_links", Kind.ANY),
        Attribute("header_bg_color"),
        Attribute("landing_page_design", Kind.ANY),
        Attribute("logo_url"),
        Attribute("mfa_config", Kind.ANY),
        Attribute("oauth_configuration", Kind.ANY),
        Attribute("options_preflight_bypass", Kind.BOOL),
        Attribute("path_cookie_attribute", Kind.BOOL),
        Attribute("read_service_tokens_from_header"),
        Attribute("saas_app", Kind.ANY),
        Attribute("same_site_cookie_attribute"),
        Attribute("scim_config", Kind.ANY),
        Attribute("service_auth_401_redirect", Kind.BOOL, pulumi="serviceAuth401Redirect"),
        Attribute("skip_interstitial", Kind.BOOL),
        Attribute("tags", Many(Kind.STRING)),
        Attribute("target_criteria", Kind.ANY, pulumi="targetCriterias"),
        output("aud", keeps=True),
    )

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        kind = config["type"]
        if config["session_duration"] is None or kind == UNKNOWN:
            return
        if kind not in _WITH_SESSION:
            known = ", ".join(f'"{each}"' for each in _WITH_SESSION)
            yield Fault(
                "sessionDuration",
                'Invalid Attribute Combination. "session_duration" can only be set if "type" is '
                f"one of: {known}",
            )

    def modify(self, plan: Plan) -> None:
        planned, kind = plan.planned, plan.planned["type"]
        self._modify_domains(plan)
        _usual(planned, "http_only_cookie_attribute", kind in _SELF_HOSTED, usual=True)
        _usual(planned, "app_launcher_visible", kind in _SHOWN_IN_LAUNCHER, usual=True)
        _usual(planned, "skip_app_launcher_login_page", kind == "app_launcher", usual=False)
        _usual(planned, "session_duration", kind in _WITH_SESSION, usual="24h")
        policies, last = planned["policies"], 0.0
        for policy in policies if isinstance(policies, list) else []:
            if isinstance(policy, dict):
                if policy["precedence"] == UNKNOWN:
                    policy["precedence"] = last + 1
                last = policy["precedence"] if isinstance(policy["precedence"], float) else last

    def _modify_domains(self, plan: Plan) -> None:
        """The three name one thing: while none of them is changed, all stay as they are."""
        planned, prior = plan.planned, plan.prior
        types = {a.name: a.type for a in self.attributes}
        if planned["type"] not in _SELF_HOSTED:
            for name in _DOMAINS[1:]:
                planned[name] = None if planned[name] == UNKNOWN else planned[name]
        if prior is None:
            return
        if all(
            planned[name] == UNKNOWN or same(types[name], prior.get(name), planned[name])
            for name in _DOMAINS
        ):
            planned.update({name: prior.get(name) for name in _DOMAINS})


def _usual(planned: Tf, name: str, fits: bool, *, usual: Value) -> None:  # noqa: FBT001
    if planned[name] == UNKNOWN:
        planned[name] = usual if fits else None


_PREVIOUS_EXPIRES = "previous_client_secret_expires_at"


class ServiceToken(AccountOrZoneResource):
    """A token with which a program passes Access; its secret is answered once."""

    kind = "service_tokens"
    import_form = "<{accounts|zones}/{account_id|zone_id}>/<service_token_id>"
    attributes = (
        output("id", keeps=True),
        _ACCOUNT,
        _ZONE,
        Attribute("name", required=True, description="The name of the service token."),
        Attribute("client_secret_version", Kind.NUMBER, computed=True, default=1.0),
        Attribute("duration", computed=True, default="8760h"),
        Attribute("enabled", Kind.BOOL),
        Attribute(_PREVIOUS_EXPIRES),
        output("client_id", keeps=True),
        Attribute(
            "client_secret",
            optional=False,
            computed=True,
            secret=True,
            keeps=True,
            sent=False,
            answered=False,
        ),
        output("expires_at"),
    )

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        version, expiry = config["client_secret_version"], config[_PREVIOUS_EXPIRES]
        if expiry is not None and version is None:
            yield Fault(
                camel(_PREVIOUS_EXPIRES),
                'Invalid Attribute Combination. Attribute "client_secret_version" must be '
                f'specified when "{_PREVIOUS_EXPIRES}" is specified',
            )
        if isinstance(version, float) and version > 1 and expiry is None:
            yield Fault(
                camel(_PREVIOUS_EXPIRES),
                f"Missing Required Attribute. {_PREVIOUS_EXPIRES} must be specified when "
                f"client_secret_version is greater than 1 (current value: {version:.0f})",
            )

    def modify(self, plan: Plan) -> None:
        """Another version is another secret."""
        prior, name = plan.prior, "client_secret_version"
        if prior is not None and not same(Kind.NUMBER, prior.get(name), plan.planned[name]):
            plan.planned["client_secret"] = UNKNOWN
