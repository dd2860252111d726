"""Stand-ins for Pulumi providers that cannot be downloaded. Each says that it is one."""
