"""PostgreSQL's own formats: pg_hba.conf, postgresql.conf, roles in SQL, SCRAM verifiers."""
