# twemproxy, as Debian's package nutcracker; its configuration is mounted as /etc/nutcracker.yml.
need nutcracker nutcracker
program "$(command -v nutcracker)"
change 'ENTRYPOINT ["nutcracker"]'
change 'CMD ["--conf-file", "/etc/nutcracker.yml"]'
