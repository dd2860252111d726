"""Asks the Proxmox API what is there. Reads only; nothing here changes anything."""
