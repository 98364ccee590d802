-- Accounts by id; what several sources say of one is told together.
SELECT id, name, plan, segment, owner, mrr AS monthly, currency FROM told(accounts: name, plan, segment, owner, mrr)
WHERE id IN {ids:Array(String)}
