"""The repository as Cloudflare's host serves it: key ring, signed indexes, the one package."""

import gzip
import hashlib
import time
from email.utils import formatdate

from aiohttp import web

from lab.connector.options import VERSION
from lab.connector.repository.openpgp import SigningKey
from lab.connector.repository.package import CONTROL, NAME, package

KEY_RINGS = ("/cloudflare-main.gpg", "/cloudflare-public-v2.gpg")
"""The real key ring's names: the second was the first's while the key was exchanged."""
_ROOT = "/cloudflared"
_SUITE = "any"
_ARCHITECTURES = ("amd64", "arm64", "armhf", "i386")


def repository(key: SigningKey) -> web.Application:
    """An application that answers for the whole host."""
    files = _files(key, int(time.time()))

    async def answer(request: web.Request) -> web.Response:
        if (content := files.get(request.path)) is None:
            return web.Response(status=404, text=f"{request.path}: the lab has no such file\n")
        return web.Response(body=content, content_type="application/octet-stream")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return app


def _files(key: SigningKey, now: int) -> dict[str, bytes]:
    deb = package()
    pool = f"pool/main/c/{NAME}/{NAME}_{VERSION}_all.deb"
    entry = CONTROL | {
        "Filename": pool,
        "Size": str(len(deb)),
        "SHA256": hashlib.sha256(deb).hexdigest(),
    }
    index = "".join(f"{name}: {value}\n" for name, value in entry.items()).encode()
    indexes = {}
    for architecture in _ARCHITECTURES:
        place = f"main/binary-{architecture}/Packages"
        indexes[place] = index
        indexes[f"{place}.gz"] = gzip.compress(index, mtime=0)
    release = _release(indexes, now)
    suite = f"{_ROOT}/dists/{_SUITE}"
    return {
        **dict.fromkeys(KEY_RINGS, key.key_ring()),
        f"{_ROOT}/{pool}": deb,
        f"{suite}/Release": release.encode(),
        f"{suite}/Release.gpg": key.detached(release.encode(), now).encode(),
        f"{suite}/InRelease": key.clear_signed(release, now).encode(),
        **{f"{suite}/{place}": content for place, content in indexes.items()},
    }


def _release(indexes: dict[str, bytes], now: int) -> str:
    head = {
        "Origin": NAME,
        "Label": NAME,
        "Suite": _SUITE,
        "Codename": _SUITE,
        "Date": formatdate(now, usegmt=True).replace("GMT", "UTC"),
        "Architectures": " ".join(_ARCHITECTURES),
        "Components": "main",
        "Description": "packages of the berth lab in the place of Cloudflare's",
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    lines += ["SHA256:"]
    lines += [
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {place}"
        for place, content in indexes.items()
    ]
    return "\n".join(lines) + "\n"
