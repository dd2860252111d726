"""Real containers on this machine: network, images, templates, LXC. Needs root and Linux."""
