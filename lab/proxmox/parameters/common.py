"""Parameters that many calls share."""

from lab.proxmox.schema import integer, string

NODE = string("pve-node")
VMID = integer(100, 999_999_999, "pve-vmid")
STORAGE = string("pve-storage-id")
ON_NODE = {"node": NODE}
ON_GUEST = {"node": NODE, "vmid": VMID}
ON_STORAGE = {"node": NODE, "storage": STORAGE}
