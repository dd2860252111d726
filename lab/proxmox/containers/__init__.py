"""Containers: their configuration, and the calls that make, change, run and remove them."""
