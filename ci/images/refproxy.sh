# The reference proxy of this workspace; its configuration is mounted as /etc/refproxy.yaml.
cargo build --quiet --package refproxy
program "$built/debug/refproxy"
change 'ENTRYPOINT ["refproxy"]'
change 'CMD ["--config", "/etc/refproxy.yaml"]'
