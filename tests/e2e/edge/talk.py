"""Talks over a WebSocket as a page would: `talk.py URL TEXT...`; says what came back."""

import asyncio
import sys

import aiohttp


async def main(url: str, *texts: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for text in texts:
            await socket.send_str(text)
            print(await socket.receive_str(timeout=10), flush=True)


asyncio.run(main(*sys.argv[1:]))
