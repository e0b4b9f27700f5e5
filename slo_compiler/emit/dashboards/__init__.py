"""Dashboards for Grafana: what is on them, and how they are written."""
