"""A stand-in for cloudflared: what runs in a machine of the lab."""
