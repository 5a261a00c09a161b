"""The suite as a package: its version, and the command `pg-tls-conformance`."""

__version__ = "0.2.0.dev0"
