"""Runs a double as a plugin: `PROGRAM [ENGINE_ADDRESS]`, as the engine starts it."""

import argparse
import asyncio
import os
from collections.abc import Callable
from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2_grpc

from lab.doubles.process import announce, end_with_parent
from lab.doubles.provider import MESSAGE_LIMIT, Double, DoubleServicer

Servicer = Callable[[Any, str | None], DoubleServicer]


def serve(double: Double, servicer: Servicer = DoubleServicer) -> None:
    """Serve until the engine, this process's parent, is gone."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(
        prog=f"pulumi-resource-{double.name}",
        description=f"{double.introduction}. The engine starts it.",
    )
    parser.add_argument("engine", nargs="?", help="the engine's address, HOST:PORT")
    parser.add_argument("--version", action="version", version=f"{double.version}+double")
    known, _ = parser.parse_known_args()
    asyncio.run(_serve(lambda: servicer(double, known.engine), parent))


async def _serve(make: Callable[[], DoubleServicer], parent: int) -> None:
    server = grpc.aio.server(options=MESSAGE_LIMIT)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(make(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    announce(port)
    await end_with_parent(parent)
