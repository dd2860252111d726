"""A double of Pulumi's tailscale provider."""
