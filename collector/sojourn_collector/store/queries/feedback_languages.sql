-- In which languages answers, comments and mentions of [since, until) have words, whatever the region; empty where it is not known.
SELECT splitByChar('-', toString(language))[1] AS language, count() AS answers
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND (comment != '' OR title != '')
GROUP BY language ORDER BY answers DESC, language LIMIT 20
