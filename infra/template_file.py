"""A container template that the node downloads once, whoever is made from it."""

import re

import pulumi
import pulumi_proxmoxve as proxmoxve

from infra.settings.models import Container, Template


class TemplateFiles:
    """One download for each file on each storage of each node."""

    def __init__(self, provider: pulumi.ProviderResource | None) -> None:
        self._provider = provider
        self._files: dict[tuple[str, str], proxmoxve.download.File] = {}

    def of(self, container: Container) -> proxmoxve.download.File | None:
        """What `container` has to wait for; None when its template is there already."""
        template = container.template
        if template.url is None:
            return None
        place = (container.node, template.id)
        if place not in self._files:
            self._files[place] = self._download(container.node, template)
        return self._files[place]

    def _download(self, node: str, template: Template) -> proxmoxve.download.File:
        slug = re.sub(r"[^a-z0-9]+", "-", f"{node}-{template.storage}-{template.file}".lower())
        return proxmoxve.download.File(
            f"{slug}-template",
            content_type="vztmpl",
            node_name=node,
            datastore_id=template.storage,
            url=template.url or "",
            file_name=template.file,
            checksum=template.checksum.lower() if template.checksum else None,
            checksum_algorithm=template.checksum_algorithm,
            # A file of that name is taken as it is when its checksum is right, else refused.
            overwrite=False,
            opts=pulumi.ResourceOptions(
                provider=self._provider,
                # Another stack may be made from it too, or somebody put it there before us.
                retain_on_delete=True,
            ),
        )
