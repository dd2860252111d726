"""The firewall settings of containers: kept and answered; no packet is filtered by them."""
