"""The images of the reference platform: PostgreSQL with PgBouncer, and the reference operator."""
