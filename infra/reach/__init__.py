"""Asks services from outside, as a visitor does, and tells what is broken on the way."""
