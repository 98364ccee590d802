-- How many real visits began in [since, until), roughly.
SELECT uniq(session_id) AS visits FROM sessions
WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({app:String} = '' OR app = {app:String})
