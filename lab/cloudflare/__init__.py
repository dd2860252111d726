"""The lab's Cloudflare: tunnels, their configuration and tokens, zones and DNS records."""
