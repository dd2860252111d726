"""The base of doubles of providers that Pulumi bridges from Terraform's plugin framework.

What such a provider checks, plans and refuses follows from its attributes; this package holds
those rules once.
"""
