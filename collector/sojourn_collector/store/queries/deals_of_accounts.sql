-- Open deals of accounts by currency; deals without an amount count, and add nothing.
SELECT account_id AS account, toString(currency) AS of_currency, count() AS deals, countIf(amount IS NULL) AS unpriced, toFloat64(sum(ifNull(amount, 0))) AS worth,
  min(closes_on) AS next_close
FROM deals FINAL
WHERE tenant = {tenant:String} AND status = 'open' AND account_id IN {accounts:Array(String)}
GROUP BY account, of_currency ORDER BY account, of_currency
