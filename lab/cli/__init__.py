"""The command line of the lab: says what is done, asks the lab's process, prints."""
