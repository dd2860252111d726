"""The lab's edge: public names over HTTPS, by way of tunnels and their connectors."""
