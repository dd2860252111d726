"""Asks the lab's Cloudflare from inside the lab: `api.py LAB METHOD PATH [JSON]`, answer as JSON."""

import json
import ssl
import sys

import httpx

from lab.cloudflare.credentials import api_token
from lab.paths import LabPaths


def main() -> None:
    name, method, path, *body = sys.argv[1:]
    paths = LabPaths.of(name)
    answer = httpx.request(
        method,
        f"https://cloudflare.lab/client/v4{path}",
        json=json.loads(body[0]) if body else None,
        headers={"Authorization": f"Bearer {api_token(paths, 'deploy')}"},
        verify=ssl.create_default_context(cafile=str(paths.ca_bundle)),
    )
    print(json.dumps({"status": answer.status_code, **answer.json()}))


if __name__ == "__main__":
    main()
