"""Who calls, what they may do, and the calls that change both."""
