# The Envoy that the target file pins; its configuration is mounted as /etc/envoy.yaml.
[ -x "$built/peers/bin/envoy" ] || ci/peers
program "$built/peers/bin/envoy"
change 'ENTRYPOINT ["envoy"]'
change 'CMD ["--config-path", "/etc/envoy.yaml", "--disable-hot-restart"]'
