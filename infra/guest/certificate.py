"""Makes a host's own certificate, and makes it anew before it expires. A program of its own, too:

    certificate.py CERTIFICATE KEY USER NAME...

run by a timer of the service. Whoever serves with the certificate notices the new one by itself.
Certificate and key are written as root's; the group of USER can read the key.
"""

import os
import pwd
import re
import ssl
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

DAYS = 397  # what browsers and others take at most
RENEW_S = 30 * 24 * 3600
LIMIT_S = 60


def ensure(certificate: Path, key: Path, group: int, names: Sequence[str]) -> bool:
    """Make both where they are missing, soon over, for other names, or not of each other; True
    where they were. The key is `group`'s to read.
    """
    if certificate.is_file() and key.is_file() and _is_good(certificate, key, names):
        _let_read(key, group)
        return False
    partial = [path.with_name(f".{path.name}.partial") for path in (certificate, key)]
    for path in partial:
        path.unlink(missing_ok=True)
    previous = os.umask(0o077)
    try:
        _openssl(
            [
                *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-nodes", "-days", str(DAYS), "-subj", f"/CN={names[0][:64]}"),
                *("-addext", f"subjectAltName={','.join(map(_entry, names))}"),
                *("-out", str(partial[0]), "-keyout", str(partial[1])),
            ]
        )
        partial[0].chmod(0o644)
        _let_read(partial[1], group)
        # In between they do not fit, which whoever serves with them waits out.
        partial[1].replace(key)
        partial[0].replace(certificate)
    finally:
        os.umask(previous)
        for path in partial:
            path.unlink(missing_ok=True)
    return True


def expires_within(certificate: Path, seconds: int) -> bool:
    """Whether it is over by then."""
    command = ["x509", "-in", str(certificate), "-noout", "-checkend", str(seconds)]
    return subprocess.run(["openssl", *command], capture_output=True, check=False).returncode != 0


def _let_read(key: Path, group: int) -> None:
    os.chown(key, os.geteuid(), group if os.geteuid() == 0 else -1)
    key.chmod(0o640)


def _is_good(certificate: Path, key: Path, names: Sequence[str]) -> bool:
    if expires_within(certificate, RENEW_S):
        return False
    try:
        # One that was ended between the two left a key that is not of its certificate.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError:
        return False
    shown = _openssl(["x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"])
    found = re.findall(r"(DNS|IP Address):([^,\s]+)", shown)
    return sorted(value for _, value in found) == sorted(names)


def _entry(name: str) -> str:
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _openssl(arguments: Sequence[str]) -> str:
    result = subprocess.run(
        ["openssl", *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if result.returncode != 0:
        raise OSError(0, f"openssl {arguments[0]} failed: {result.stderr.strip()[-300:]}")
    return result.stdout


def main(arguments: Sequence[str]) -> None:
    """What the timer calls."""
    certificate, key, user, *names = arguments
    made = ensure(Path(certificate), Path(key), pwd.getpwnam(user).pw_gid, names)
    print(f"{certificate}: {'made anew' if made else 'is good for more than 30 days'}")


if __name__ == "__main__":
    main(sys.argv[1:])
