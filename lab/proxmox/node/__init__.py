"""Calls on the node, the cluster and the pools."""
