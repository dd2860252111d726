"""Storages: volumes as files, what they use, and downloads to them."""
