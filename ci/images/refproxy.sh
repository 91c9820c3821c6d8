# The reference proxy of this workspace; its configuration is mounted as /etc/refproxy.yaml.
ours refproxy
change 'ENTRYPOINT ["refproxy"]'
change 'CMD ["--config", "/etc/refproxy.yaml"]'
