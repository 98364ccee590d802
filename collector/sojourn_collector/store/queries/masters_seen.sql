-- Whether accounts and people were ever received; their versions are milliseconds.
SELECT 'accounts' AS source, count() AS rows_kept, max(version) AS newest FROM accounts FINAL WHERE tenant = {tenant:String}
UNION ALL
SELECT 'people', count(), max(version) FROM people FINAL WHERE tenant = {tenant:String}
