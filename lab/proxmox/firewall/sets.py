"""Aliases and IP sets of a firewall."""

from lab.proxmox.call import Request, Rows, Values
from lab.proxmox.errors import bad_parameters, died
from lab.proxmox.firewall.records import Part, digest, with_comment
from lab.proxmox.state import FirewallRecord, IpsetRecord


class Aliases(Part):
    """Names for addresses and networks."""

    async def listing(self, request: Request) -> Rows:
        record = self.record(request)
        return [self._row(record, name) for name in sorted(record.aliases)]

    async def read(self, request: Request) -> Values:
        record = self.record(request)
        self._require(record, request["name"])
        return self._row(record, request["name"])

    async def create(self, request: Request) -> None:
        record = self.changing(request)
        name = request["name"]
        if name in record.aliases:
            raise bad_parameters({"name": f"alias '{name}' already exists"})
        record.aliases[name] = self._given(request)
        self.save()

    async def update(self, request: Request) -> None:
        record = self.changing(request)
        name = request["name"]
        self._require(record, name)
        new = request.get("rename", name)
        if new != name and new in record.aliases:
            raise bad_parameters({"name": f"alias '{new}' already exists"})
        del record.aliases[name]
        record.aliases[new] = self._given(request)
        self.save()

    async def delete(self, request: Request) -> None:
        record = self.changing(request)
        record.aliases.pop(request["name"], None)
        self.save()

    @staticmethod
    def _given(request: Request) -> dict[str, str]:
        return {"cidr": request["cidr"], "comment": request.get("comment", "")}

    @staticmethod
    def _require(record: FirewallRecord, name: str) -> None:
        if name not in record.aliases:
            raise bad_parameters({"name": "no such alias"})

    @staticmethod
    def _row(record: FirewallRecord, name: str) -> Values:
        alias = record.aliases[name]
        row = {"name": name, "cidr": alias["cidr"], "digest": digest(record)}
        return with_comment(row, alias.get("comment"))


class Ipsets(Part):
    """Sets of addresses and networks."""

    async def listing(self, request: Request) -> Rows:
        record = self.record(request)
        return [
            with_comment({"name": name, "digest": digest(record)}, record.ipsets[name].comment)
            for name in sorted(record.ipsets)
        ]

    async def create(self, request: Request) -> None:
        record = self.changing(request)
        name, old = request["name"], request.get("rename")
        if old is not None:
            ipset = self._find(record, old)
            if name != old and name in record.ipsets:
                raise bad_parameters({"name": f"IPSet '{name}' already exists"})
            del record.ipsets[old]
            record.ipsets[name] = ipset
            ipset.comment = request.get("comment", ipset.comment)
        elif name in record.ipsets:
            raise bad_parameters({"name": f"IPSet '{name}' already exists"})
        else:
            record.ipsets[name] = IpsetRecord(comment=request.get("comment", ""))
        self.save()

    async def delete(self, request: Request) -> None:
        record = self.changing(request)
        ipset = record.ipsets.get(request["name"])
        if ipset is not None and ipset.entries and not request.flag("force"):
            raise died(f"IPSet '{request['name']}' is not empty")
        record.ipsets.pop(request["name"], None)
        self.save()

    async def entries(self, request: Request) -> Rows:
        record = self.record(request)
        entries = self._find(record, request["name"]).entries
        return [self._entry(record, cidr, entries[cidr]) for cidr in sorted(entries)]

    async def entry(self, request: Request) -> Values:
        record = self.record(request)
        entries = self._find(record, request["name"]).entries
        if request["cidr"] not in entries:
            raise bad_parameters({"cidr": "no such IP/Network"})
        return self._entry(record, request["cidr"], entries[request["cidr"]])

    async def add(self, request: Request) -> None:
        record = self.changing(request)
        entries = self._find(record, request["name"]).entries
        cidr = request["cidr"]
        if cidr in entries:
            raise bad_parameters({"cidr": f"address '{cidr}' already exists"})
        entries[cidr] = self._given(request)
        self.save()

    async def change(self, request: Request) -> None:
        record = self.changing(request)
        entries = self._find(record, request["name"]).entries
        if request["cidr"] not in entries:
            raise bad_parameters({"cidr": "no such IP/Network"})
        entries[request["cidr"]] |= self._given(request)
        self.save()

    async def remove(self, request: Request) -> None:
        record = self.changing(request)
        self._find(record, request["name"]).entries.pop(request["cidr"], None)
        self.save()

    @staticmethod
    def _find(record: FirewallRecord, name: str) -> IpsetRecord:
        if name not in record.ipsets:
            raise died("no such IPSet")
        return record.ipsets[name]

    @staticmethod
    def _given(request: Request) -> dict[str, str]:
        keys = ("comment", "nomatch")
        return {key: value for key in keys if (value := request.get(key)) is not None}

    @staticmethod
    def _entry(record: FirewallRecord, cidr: str, entry: dict[str, str]) -> Values:
        row: Values = {"cidr": cidr, "digest": digest(record)}
        if entry.get("nomatch") == "1":
            row["nomatch"] = 1
        return with_comment(row, entry.get("comment"))
