"""A service's code on its way to a host: what is taken along, and whether it can run there.

Nothing here imports pulumi, connects anywhere, or executes the code that it looks at.
"""
