"""The lab's one long-running process: starts the pieces, and answers the command line."""
