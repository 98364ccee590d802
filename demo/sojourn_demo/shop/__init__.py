"""The demo shop: a small web shop and its payments service, traced with OpenTelemetry, with faults that can be switched on."""
