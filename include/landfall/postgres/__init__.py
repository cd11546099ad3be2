"""What every module needs of the database: connections, errors, statements, the catalog."""
