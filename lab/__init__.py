"""The lab: Proxmox, its containers and networks, on one Linux machine."""
