"""The lab's Tailscale: credentials, auth keys, devices, policy and DNS of its tailnets."""
