-- Which statements of the schema ran already. Not a tenant's data.
SELECT number, statement, sha256 FROM migrations
