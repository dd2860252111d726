"""A user's stack file in the lab: the copy that is run, its environment and its state."""
