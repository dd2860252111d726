"""What stands between a stack file and a container that is lost: looks first, says, refuses."""
