# what the browser copied, and what somebody wrote
curl -sSL 'https://ana:canary-pw-1@api.example/v1/items?api_key=canary-key-42#top' \
  -H 'Accept: application/json' -H "X-Team: $TEAM"
curl https://api.example/login -X POST -H 'Content-Type: application/json' \
  --data-raw $'{"user":"ana","password":"canary-it\'s"}' --compressed
curl -k https://api.example/form -d colour=black -d 'password=canary-pw-2' -m 5
curl https://api.example/me -H "Authorization: Bearer $TOKEN" -b 'sid=canary-sid-1' --resolve a:1:2
wget https://api.example/
