"""The tunnel at Cloudflare: asked about before anything changes, its routes one list, its end ours.

`pulumi_cloudflare` takes seconds to import: only infra/cloudflare/tunnel.py does, when there is a
route.
"""
