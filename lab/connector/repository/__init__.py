"""The package repository that the stand-in is installed from; runs in the lab's process."""
