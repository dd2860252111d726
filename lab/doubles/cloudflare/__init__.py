"""A double of the cloudflare provider: a thin client of the HTTP API, where the real one is not."""
