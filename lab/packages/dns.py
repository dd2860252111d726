"""The lab's name server: its own names, package hosts at the gateway, and nothing else."""

import asyncio
import logging
import socket
import struct
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import cast

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset

log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address

# Names of the lab come and go: nobody should remember them for long.
_TTL_S = 5
_IDLE_S = 30
_OWN_PAYLOAD = 1232
_PLAIN_PAYLOAD = 512


class NameServer:
    """Answers for `names` (read anew at each question) and `package_hosts`, which are `gateway`.

    A name `*.x` stands for all below `x` but for what is at or below another name there (RFC 4592).
    Every other name does not exist; a client that understands it is told why.
    """

    def __init__(
        self,
        names: Mapping[str, Collection[Address]],
        package_hosts: Collection[str],
        gateway: Address,
    ) -> None:
        self._names = names
        self._package_hosts = package_hosts
        self._gateway = gateway
        self._transports: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, udp: Iterable[socket.socket], tcp: Iterable[socket.socket]) -> None:
        """Answer on bound sockets; a UDP socket is bound to one address, so that it answers so."""
        loop = asyncio.get_running_loop()
        for bound in udp:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), sock=bound)
            self._transports.append(transport)
        for listening in tcp:
            self._servers.append(await asyncio.start_server(self._accept, sock=listening))

    async def close(self) -> None:
        """Close the sockets and every connection."""
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def answer(self, wire: bytes, *, limit: int | None) -> bytes | None:
        """The answer to a message, cut to `limit` bytes or to what the client takes."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _malformed(wire)
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query, our_payload=_OWN_PAYLOAD)
        response.flags |= dns.flags.AA | dns.flags.RA
        self._fill(query, response)
        if limit is None:
            return response.to_wire(max_size=65535)
        room = max(limit, query.payload) if query.edns >= 0 else limit
        try:
            return response.to_wire(max_size=min(room, _OWN_PAYLOAD))
        except dns.exception.TooBig:
            short = dns.message.make_response(query, our_payload=_OWN_PAYLOAD)
            short.flags |= dns.flags.TC
            return short.to_wire()

    def _fill(self, query: dns.message.Message, response: dns.message.Message) -> None:
        if query.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
            return
        if len(query.question) != 1 or query.question[0].rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.REFUSED)
            return
        question = query.question[0]
        records = self._records(question.name, question.rdtype)
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            if query.edns >= 0:
                reason = dns.edns.EDEOption(
                    dns.edns.EDECode.BLOCKED, "neither in this lab nor a package host"
                )
                response.use_edns(0, options=[reason], payload=_OWN_PAYLOAD)
        elif records:
            kind, values = records
            response.answer.append(
                dns.rrset.from_text_list(question.name, _TTL_S, dns.rdataclass.IN, kind, values)
            )

    def _records(
        self, name: dns.name.Name, wanted: dns.rdatatype.RdataType
    ) -> tuple[dns.rdatatype.RdataType, list[str]] | tuple[()] | None:
        """Records of the wanted type; empty where it has none; None where there is no name."""
        if (pointed_at := _reversed(name)) is not None:
            found = [own for own, places in self._names.items() if pointed_at in places]
            if not found:
                return None
            pointers = [f"{own.rstrip('.')}." for own in sorted(found)]
            return (dns.rdatatype.PTR, pointers) if wanted == dns.rdatatype.PTR else ()
        addresses = self._addresses(name.to_text(omit_final_dot=True).lower())
        if addresses is None:
            return None
        version = {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 6}.get(wanted)
        values = [str(address) for address in addresses if address.version == version]
        return (wanted, values) if values else ()

    def _addresses(self, name: str) -> Collection[Address] | None:
        own = {known.lower().rstrip("."): places for known, places in self._names.items()}
        if (addresses := own.get(name)) is not None:
            return addresses
        if name in self._package_hosts:
            return [self._gateway]
        there = name
        while there and not any(known == there or known.endswith(f".{there}") for known in own):
            there = there.partition(".")[2]
        return own.get(f"*.{there}") if there != name else None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._converse(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(_IDLE_S):
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    wire = await reader.readexactly(length)
                if (answer := self.answer(wire, limit=None)) is None:
                    return
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            return
        finally:
            writer.transport.abort()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's own class for it is no DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, limit=_PLAIN_PAYLOAD)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


def _reversed(name: dns.name.Name) -> Address | None:
    try:
        text = dns.reversename.to_address(name)
    except (dns.exception.DNSException, ValueError):
        return None
    return IPv6Address(text) if ":" in text else IPv4Address(text)


def _malformed(wire: bytes) -> bytes | None:
    """A format error for what has at least the head of a question."""
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    refusal = dns.message.Message(id=int.from_bytes(wire[:2], "big"))
    refusal.flags = dns.flags.QR
    refusal.set_rcode(dns.rcode.FORMERR)
    return refusal.to_wire()
