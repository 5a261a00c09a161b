"""The figures: how long things take, in a table and in a file. Nothing here fails by being slow."""
