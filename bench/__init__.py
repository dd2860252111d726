"""Figures of docs/figures.md: measured, printed as a table, compared with their goals."""
