# A node: Debian's Redis, with the server's command line, as the official image has it.
need redis-server redis-server
program "$(command -v redis-server)"
program "$(command -v redis-cli)"
change 'EXPOSE 6379'
change 'WORKDIR /data'
change 'CMD ["redis-server", "--protected-mode", "no", "--save", ""]'
