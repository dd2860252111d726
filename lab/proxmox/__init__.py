"""The Proxmox VE HTTP API of the lab: what a node answers, without the node's operating system."""
