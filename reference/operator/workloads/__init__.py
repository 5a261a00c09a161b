"""Manifests of what runs and how it is reached: instances, PgBouncer, Services."""
