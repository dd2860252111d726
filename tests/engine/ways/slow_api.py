"""A double of the way to Cloudflare: passes everything on, and holds the first answer to POST back.

`slow_api.py PORT`, in the lab's network. What was asked for has happened by the time it is held.
"""

import asyncio
import ssl
import sys

import aiohttp
from aiohttp import web

UPSTREAM = "https://cloudflare.lab"
HELD_S = 600


async def main(port: int) -> None:
    held = False
    async with aiohttp.ClientSession() as session:
        trust = ssl.create_default_context()

        async def pass_on(request: web.Request) -> web.Response:
            nonlocal held
            headers = {"Authorization": request.headers.get("Authorization", "")}
            headers["Content-Type"] = request.headers.get("Content-Type", "application/json")
            async with session.request(
                request.method,
                f"{UPSTREAM}{request.path_qs}",
                data=await request.read(),
                headers=headers,
                ssl=trust,
            ) as answer:
                body = await answer.read()
                status = answer.status
            if request.method == "POST" and request.path.endswith("/cfd_tunnel") and not held:
                held = True
                await asyncio.sleep(HELD_S)
            return web.Response(status=status, body=body, content_type="application/json")

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
