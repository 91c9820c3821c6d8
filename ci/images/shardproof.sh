# The suite itself, for proxies by address, with the plain Redis that it compares commands with. Reports are written to
# /data.
ours shardproof
need redis-server redis-server
program "$(command -v redis-server)"
change 'WORKDIR /data'
change 'ENTRYPOINT ["shardproof"]'
