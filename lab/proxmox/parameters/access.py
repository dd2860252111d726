"""Calls on tickets, users, tokens, roles and the access list."""

from lab.proxmox.schema import (
    AllOf,
    AnyOf,
    Call,
    IsSelf,
    MayModifyAcl,
    OnRealm,
    OnUserGroups,
    flag,
    integer,
    keys,
    perm,
    string,
)

_USER = {"userid": string("pve-userid", max_length=64)}
_TOKEN = {**_USER, "tokenid": string(pattern=r"(?:[A-Za-z][A-Za-z0-9\.\-_]+)")}
_ROLE = {"roleid": string("pve-roleid")}
_PRIVS = string("pve-priv-list")
_ACCESS = perm("/access", "Sys.Modify")
_OWN_OR_MANAGED = AnyOf((IsSelf(), OnUserGroups(("User.Modify",))))
_PROFILE = {
    "comment?": string(max_length=2048),
    "email?": string("email-opt", max_length=254),
    "enable?": flag(),
    "expire?": integer(0),
    "firstname?": string(max_length=1024),
    "groups?": string("pve-groupid-list"),
    "keys?": string(pattern="[0-9a-zA-Z!=]{0,4096}"),
    "lastname?": string(max_length=1024),
}
_TOKEN_SETTINGS = {"comment?": string(), "expire?": integer(0), "privsep?": flag()}
_TOKENS = "/access/users/{userid}/token"
_SAFE = r"(?:[A-Za-z][A-Za-z0-9\.\-_]+)"

CALLS = {
    "GET /access": Call(),
    "GET /access/ticket": Call(anonymous=True),
    "POST /access/ticket": Call(
        keys(
            {
                "new-format?": flag(),
                "otp?": string(),
                "password": string(),
                "path?": string(max_length=64, requires="privs"),
                "privs?": string("pve-priv-list", max_length=64, requires="path"),
                "realm?": string("pve-realm", max_length=32),
                "tfa-challenge?": string(),
                "username": string(max_length=64),
            }
        ),
        anonymous=True,
        closed_to_tokens=True,
    ),
    "PUT /access/password": Call(
        keys(
            {
                **_USER,
                "confirmation-password?": string(min_length=5, max_length=64),
                "password": string(min_length=8, max_length=64),
            }
        ),
        AnyOf(
            (
                IsSelf(),
                AllOf((OnRealm("Realm.AllocateUser"), OnUserGroups(("User.Modify",)))),
            )
        ),
        closed_to_tokens=True,
    ),
    "GET /access/permissions": Call(
        keys(
            {
                "path?": string(),
                "userid?": string(pattern=rf"(?:^(?:[^\s:/]+)\@{_SAFE}(?:!{_SAFE})?$)"),
            }
        )
    ),
    "GET /access/users": Call(keys({"enabled?": flag(), "full?": flag()})),
    "POST /access/users": Call(
        keys({**_USER, **_PROFILE, "password?": string(min_length=8, max_length=64)}),
        AllOf((OnRealm("Realm.AllocateUser"), OnUserGroups(("User.Modify",), "create"))),
    ),
    "GET /access/users/{userid}": Call(keys(_USER), OnUserGroups(("User.Modify", "Sys.Audit"))),
    "PUT /access/users/{userid}": Call(
        keys({**_USER, **_PROFILE, "append?": flag(requires="groups")}),
        OnUserGroups(("User.Modify",), "update"),
    ),
    "DELETE /access/users/{userid}": Call(
        keys(_USER), AllOf((OnRealm("Realm.AllocateUser"), OnUserGroups(("User.Modify",))))
    ),
    f"GET {_TOKENS}": Call(keys(_USER), _OWN_OR_MANAGED),
    f"GET {_TOKENS}/{{tokenid}}": Call(keys(_TOKEN), _OWN_OR_MANAGED),
    f"POST {_TOKENS}/{{tokenid}}": Call(keys({**_TOKEN, **_TOKEN_SETTINGS}), _OWN_OR_MANAGED),
    f"PUT {_TOKENS}/{{tokenid}}": Call(
        keys({**_TOKEN, **_TOKEN_SETTINGS, "delete?": string("pve-configid-list")}),
        _OWN_OR_MANAGED,
    ),
    f"DELETE {_TOKENS}/{{tokenid}}": Call(keys(_TOKEN), _OWN_OR_MANAGED),
    "GET /access/roles": Call(),
    "POST /access/roles": Call(keys({**_ROLE, "privs?": _PRIVS}), _ACCESS),
    "GET /access/roles/{roleid}": Call(keys(_ROLE)),
    "PUT /access/roles/{roleid}": Call(
        keys({**_ROLE, "append?": flag(requires="privs"), "privs?": _PRIVS}), _ACCESS
    ),
    "DELETE /access/roles/{roleid}": Call(keys(_ROLE), _ACCESS),
    "GET /access/acl": Call(),
    "PUT /access/acl": Call(
        keys(
            {
                "delete?": flag(),
                "groups?": string("pve-groupid-list"),
                "path": string(),
                "propagate?": flag(),
                "roles": string("pve-roleid-list"),
                "tokens?": string("pve-tokenid-list"),
                "users?": string("pve-userid-list"),
            }
        ),
        MayModifyAcl(),
    ),
}
