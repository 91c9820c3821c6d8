//! Configurations with every setting that affects placement, each different from the target's own.

/// The number of nodes of a variant.
pub(crate) const NODES: usize = 4;

/// A configuration of a target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    /// The target.
    pub(crate) target: &'static str,
    /// The special setting.
    pub(crate) name: &'static str,
    /// Settings of the listener's filter (Envoy) or of the pool (twemproxy).
    listener: &'static str,
    /// Settings of the cluster, and its nodes.
    cluster: &'static str,
}

impl Variant {
    /// The template of the whole file.
    pub(crate) fn config(&self) -> String {
        match self.target {
            "envoy" => format!("{ENVOY}{}{CLUSTERS}{}", self.listener, self.cluster),
            _ => format!("{TWEMPROXY}{}{}", self.listener, self.cluster),
        }
    }
}

/// The beginning of Envoy's file, up to the settings of the filter.
pub(super) const ENVOY: &str = r#"
admin:
  address: { socket_address: { address: {{ admin.host }}, port_value: {{ admin.port }} } }
static_resources:
  listeners:
    - name: redis
      address: { socket_address: { address: {{ listen.host }}, port_value: {{ listen.port }} } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.redis_proxy
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
                stat_prefix: redis
"#;

const CLUSTERS: &str = r"
  clusters:
    - name: unused
      connect_timeout: 1s
      type: STATIC
    - name: nodes
      connect_timeout: 1s
";

const TWEMPROXY: &str = r"
nodes:
  listen: {{ listen.addr }}
  redis: true
  preconnect: true
";

const PLAIN: &str = "
                settings: { op_timeout: 5s }
                prefix_routes: { catch_all_route: { cluster: nodes } }
";

const TAGGED: &str = "
                settings: { op_timeout: 5s, enable_hashtagging: true }
                prefix_routes:
                  routes: [ { prefix: 'key:', cluster: nodes } ]
                  catch_all_route: { cluster: nodes }
";

const ROUTED: &str = "
                settings: { op_timeout: 5s, enable_hashtagging: true }
                prefix_routes:
                  case_insensitive: true
                  routes:
                    - { prefix: 'KEY:1', cluster: other }
                    - { prefix: 'key:10', cluster: nodes }
                    - { prefix: '{2', cluster: other }
                  catch_all_route: { cluster: nodes }
";

const ROUTED_BY_NO_PREFIX: &str = "
                settings: { op_timeout: 5s }
                prefix_routes:
                  routes:
                    - { prefix: '', cluster: nodes }
                    - { prefix: 'key:1', cluster: other }
                    - { prefix: 'KEY:', cluster: other }
";

const THREE_AND_OTHER: &str = "
      type: STATIC
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes[:3] %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
{% endfor %}
    - name: other
      connect_timeout: 1s
      type: STATIC
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: other
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[3].host }}, port_value: {{ nodes[3].port }} } } }
";

pub(crate) const VARIANTS: [Variant; 17] = [
    envoy("tags-of-routes", TAGGED, "
      type: STATIC
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
{% endfor %}
"),
    envoy("ring-by-old-fields", PLAIN, r"
      lb_policy: RING_HASH
      ring_hash_lb_config: { minimum_ring_size: 100, maximum_ring_size: 300, hash_function: MURMUR_HASH_2 }
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
                load_balancing_weight: {{ loop.index }}
{% endfor %}
"),
    envoy("maglev-by-extension", PLAIN, r#"
      type: STATIC
      lb_policy: RING_HASH
      load_balancing_policy:
        policies:
          - typed_extension_config:
              name: mine
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev
                table_size: 251
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
                load_balancing_weight: {{ loop.index }}
{% endfor %}
"#),
    envoy("ring-by-extension", PLAIN, r#"
      type: STATIC
      load_balancing_policy:
        policies:
          - typed_extension_config:
              name: envoy.load_balancing_policies.ring_hash
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash
                minimum_ring_size: 64
                hash_function: MURMUR_HASH_2
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
{% endfor %}
"#),
    envoy("names-that-are-resolved", PLAIN, r"
      type: STRICT_DNS
      dns_lookup_family: V4_ONLY
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: localhost, port_value: {{ node.port }} } } }
{% endfor %}
"),
    envoy("names-that-are-hashed", PLAIN, r"
      type: STRICT_DNS
      dns_lookup_family: V4_ONLY
      lb_policy: MAGLEV
      common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true } }
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes[:3] %}
              - endpoint:
                  hostname: redis-{{ loop.index }}
                  address: { socket_address: { address: localhost, port_value: {{ node.port }} } }
{% endfor %}
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: {{ nodes[3].port }} } } }
"),
    envoy("hash-keys", PLAIN, r"
      type: STATIC
      lb_policy: RING_HASH
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
                metadata: { filter_metadata: { envoy.lb: { hash_key: {% if loop.first %}7{% else %}redis-{{ loop.index }}{% endif %} } } }
{% endfor %}
"),
    envoy("localities-with-weights", PLAIN, r"
      type: STATIC
      lb_policy: RING_HASH
      ring_hash_lb_config: { minimum_ring_size: 50 }
      common_lb_config: { locality_weighted_lb_config: {} }
      load_assignment:
        cluster_name: nodes
        endpoints:
          - locality: { zone: b }
            load_balancing_weight: 2
            lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[0].host }}, port_value: {{ nodes[0].port }} } } }
          - locality: { zone: a }
            load_balancing_weight: 3
            lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[1].host }}, port_value: {{ nodes[1].port }} } } }
              - endpoint: { address: { socket_address: { address: {{ nodes[2].host }}, port_value: {{ nodes[2].port }} } } }
                load_balancing_weight: 4
          - locality: { zone: c }
            lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[3].host }}, port_value: {{ nodes[3].port }} } } }
"),
    envoy("health-and-priorities", PLAIN, r"
      type: STATIC
      lb_policy: MAGLEV
      common_lb_config: { healthy_panic_threshold: { value: 40 } }
      load_assignment:
        cluster_name: nodes
        policy: { overprovisioning_factor: 120 }
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[0].host }}, port_value: {{ nodes[0].port }} } } }
              - endpoint: { address: { socket_address: { address: {{ nodes[1].host }}, port_value: {{ nodes[1].port }} } } }
                health_status: UNHEALTHY
              - endpoint: { address: { socket_address: { address: {{ nodes[2].host }}, port_value: {{ nodes[2].port }} } } }
                health_status: DRAINING
          - priority: 1
            lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[3].host }}, port_value: {{ nodes[3].port }} } } }
"),
    envoy("nodes-in-panic", PLAIN, r"
      type: STATIC
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[0].host }}, port_value: {{ nodes[0].port }} } } }
                health_status: DRAINING
              - endpoint: { address: { socket_address: { address: {{ nodes[1].host }}, port_value: {{ nodes[1].port }} } } }
                health_status: UNHEALTHY
              - endpoint: { address: { socket_address: { address: {{ nodes[2].host }}, port_value: {{ nodes[2].port }} } } }
                health_status: TIMEOUT
              - endpoint: { address: { socket_address: { address: {{ nodes[3].host }}, port_value: {{ nodes[3].port }} } } }
                health_status: HEALTHY
"),
    envoy("prefixes-of-another-cluster", ROUTED, THREE_AND_OTHER),
    envoy("no-prefix-is-a-prefix", ROUTED_BY_NO_PREFIX, THREE_AND_OTHER),
    envoy("overprovisioning-beyond-32-bits", PLAIN, r"
      type: STATIC
      lb_policy: MAGLEV
      load_assignment:
        cluster_name: nodes
        policy: { overprovisioning_factor: 2147483648 }
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[0].host }}, port_value: {{ nodes[0].port }} } } }
              - endpoint: { address: { socket_address: { address: {{ nodes[1].host }}, port_value: {{ nodes[1].port }} } } }
          - priority: 1
            lb_endpoints:
              - endpoint: { address: { socket_address: { address: {{ nodes[2].host }}, port_value: {{ nodes[2].port }} } } }
              - endpoint: { address: { socket_address: { address: {{ nodes[3].host }}, port_value: {{ nodes[3].port }} } } }
"),
    envoy("subsets-without-selectors", PLAIN, r"
      type: STATIC
      lb_policy: MAGLEV
      lb_subset_config: {}
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
{% for node in nodes %}
              - endpoint: { address: { socket_address: { address: {{ node.host }}, port_value: {{ node.port }} } } }
{% endfor %}
"),
    twemproxy("names-and-weights", "
  hash: murmur
", r"
  servers:
{% for node in nodes %}
    - {{ node.addr }}:{{ loop.index }}{% if not loop.last %} redis-{{ loop.index }}{% endif %}

{% endfor %}
"),
    twemproxy("tags-between-dollars", "
  hash: crc32a
  distribution: modula
  hash_tag: '$$'
", r"
  servers:
{% for node in nodes %}
    - {{ node.addr }}:1
{% endfor %}
"),
    twemproxy("names-of-hosts-as-written", "
  distribution: ketama
", r"
  servers:
{% for node in nodes %}
    - localhost:{{ node.port }}:1
{% endfor %}
"),
];

const fn envoy(name: &'static str, listener: &'static str, cluster: &'static str) -> Variant {
    Variant {
        target: "envoy",
        name,
        listener,
        cluster,
    }
}

const fn twemproxy(name: &'static str, listener: &'static str, cluster: &'static str) -> Variant {
    Variant {
        target: "twemproxy",
        name,
        listener,
        cluster,
    }
}
