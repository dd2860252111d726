"""Firewall options: only what was set is answered."""

from lab.proxmox.call import Request, Values
from lab.proxmox.errors import bad_parameters
from lab.proxmox.firewall.records import Part, digest
from lab.proxmox.formats import split_list
from lab.proxmox.parameters.firewall import OPTIONS


class Options(Part):
    """GET and PUT options."""

    async def read(self, request: Request) -> Values:
        record = self.record(request)
        values: Values = {
            key: int(value) if OPTIONS[key].kind == "boolean" else value
            for key, value in record.options.items()
        }
        return values | {"digest": digest(record)}

    async def update(self, request: Request) -> None:
        deleted = split_list(request.get("delete", ""))
        for key in deleted:
            if key not in OPTIONS:
                raise bad_parameters({"delete": f"no such option '{key}'"})
        record = self.changing(request)
        for key in deleted:
            record.options.pop(key, None)
        for key in OPTIONS:
            if (value := request.get(key)) is not None:
                record.options[key] = value
        self.save()
