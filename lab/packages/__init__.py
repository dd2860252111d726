"""Packages for the guests: names that lead to a gateway, and the gateway that fetches."""
