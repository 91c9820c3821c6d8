//! FIELDS: how the values of one field of INFO become one, one row per field.
//!
//! Source: `INFO everything` of Redis 7.0 and 8.2 and of Valkey 9.1 (`fixtures/info/fields.txt`), each field of which has a
//! row. With one node, every value is that node's.

/// How the values of one field become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Sum,
    Most,
    /// Of numbers. Of a setting: the minimum of all nodes.
    Least,
    /// The lowest version: the features that every node has. Left out if a node has none, because it is another server.
    Version,
    /// A limit, which adds up. 0 is no limit, and then the total is unlimited too.
    Limit,
    /// This word if all nodes have it, else the first other one: `ok` and `noeviction` must hold for every node, and
    /// clients may write unless all nodes are a `slave`.
    Unless(&'static str),
    /// Description of one build or one machine: kept if all nodes agree, line by line if the name repeats. No client
    /// depends on it.
    Alike,
    /// This field in human-readable units.
    Human(&'static str),
    /// Left out: the ratio of sums is not the sum of ratios.
    Ratio,
    /// Left out: nodes have their peaks at different moments.
    Peak,
    /// Left out: the state of one server and its replication, which no other shares.
    OneServer,
}

use Way::{Alike, Human, Least, Limit, Most, OneServer, Peak, Ratio, Sum, Unless, Version};

/// All fields but those that the proxy tells itself, sorted.
const FIELDS: &[(&str, Way)] = &[
    ("acl_access_denied_auth", Sum),
    ("acl_access_denied_channel", Sum),
    ("acl_access_denied_cmd", Sum),
    ("acl_access_denied_db", Sum),
    ("acl_access_denied_key", Sum),
    ("acl_access_denied_tls_cert", Sum),
    ("active_defrag_hits", Sum),
    ("active_defrag_key_hits", Sum),
    ("active_defrag_key_misses", Sum),
    ("active_defrag_misses", Sum),
    ("active_defrag_running", Most),
    ("allocator_active", Sum),
    ("allocator_allocated", Sum),
    ("allocator_frag_bytes", Sum),
    ("allocator_frag_ratio", Ratio),
    ("allocator_muzzy", Sum),
    ("allocator_resident", Sum),
    ("allocator_rss_bytes", Sum),
    ("allocator_rss_ratio", Ratio),
    ("aof_base_size", Sum),
    ("aof_buffer_length", Sum),
    ("aof_current_rewrite_time_sec", Most),
    ("aof_current_size", Sum),
    ("aof_delayed_fsync", Sum),
    ("aof_enabled", Least),
    ("aof_last_bgrewrite_status", Unless("ok")),
    ("aof_last_cow_size", Sum),
    ("aof_last_rewrite_time_sec", Most),
    ("aof_last_write_status", Unless("ok")),
    ("aof_pending_bio_fsync", Sum),
    ("aof_pending_rewrite", Most),
    ("aof_rewrite_in_progress", Most),
    ("aof_rewrite_scheduled", Most),
    ("aof_rewrites", Sum),
    ("aof_rewrites_consecutive_failures", Most),
    ("arch_bits", Least),
    ("async_loading", Most),
    ("atomicvar_api", Alike),
    ("availability_zone", Alike),
    ("blocked_clients", Sum),
    ("client_output_buffer_limit_disconnections", Sum),
    ("client_query_buffer_limit_disconnections", Sum),
    ("client_recent_max_input_buffer", Most),
    ("client_recent_max_output_buffer", Most),
    ("clients_hz", Least),
    ("clients_in_timeout_table", Sum),
    ("cluster_connections", Sum),
    ("config_file", Alike),
    ("configured_hz", Least),
    ("connected_slaves", Sum),
    ("current_active_defrag_time", Most),
    ("current_cow_peak", Sum),
    ("current_cow_size", Sum),
    ("current_cow_size_age", Most),
    ("current_eviction_exceeded_time", Most),
    ("current_fork_perc", Ratio),
    ("current_save_keys_processed", Sum),
    ("current_save_keys_total", Sum),
    ("dump_payload_sanitizations", Sum),
    ("engines_count", Least),
    ("engines_total_memory_overhead", Sum),
    ("engines_total_used_memory", Sum),
    ("eventloop_cmd_per_cycle_max", Most),
    ("eventloop_cycles", Sum),
    ("eventloop_duration_aof_sum", Sum),
    ("eventloop_duration_cmd_sum", Sum),
    ("eventloop_duration_cron_sum", Sum),
    ("eventloop_duration_sum", Sum),
    ("evicted_clients", Sum),
    ("evicted_keys", Sum),
    ("evicted_scripts", Sum),
    ("executable", Alike),
    ("expire_cycle_cpu_milliseconds", Sum),
    ("expired_fields", Sum),
    ("expired_keys", Sum),
    ("expired_keys_with_volatile_items_stale_perc", Ratio),
    ("expired_stale_perc", Ratio),
    ("expired_subkeys", Sum),
    ("expired_time_cap_reached_count", Sum),
    ("gcc_version", Alike),
    ("hz", Least),
    ("instantaneous_eventloop_cycles_per_sec", Sum),
    ("instantaneous_eventloop_duration_usec", Most),
    ("instantaneous_input_kbps", Sum),
    ("instantaneous_input_repl_kbps", Sum),
    ("instantaneous_ops_per_sec", Sum),
    ("instantaneous_output_kbps", Sum),
    ("instantaneous_output_repl_kbps", Sum),
    ("io_threaded_accept_processed", Sum),
    ("io_threaded_freed_objects", Sum),
    ("io_threaded_poll_processed", Sum),
    ("io_threaded_reads_processed", Sum),
    ("io_threaded_total_prefetch_batches", Sum),
    ("io_threaded_total_prefetch_entries", Sum),
    ("io_threaded_writes_processed", Sum),
    ("io_threads_active", Least),
    ("keyspace_hits", Sum),
    ("keyspace_misses", Sum),
    ("latest_fork_usec", Most),
    ("lazyfree_pending_objects", Sum),
    ("lazyfreed_objects", Sum),
    ("loading", Most),
    ("loading_eta_seconds", Most),
    ("loading_loaded_bytes", Sum),
    ("loading_rdb_used_mem", Sum),
    ("loading_start_time", Least),
    ("loading_total_bytes", Sum),
    ("lru_clock", Most),
    ("master_current_sync_attempts", OneServer),
    ("master_failover_state", Unless("no-failover")),
    ("master_host", OneServer),
    ("master_last_io_seconds_ago", OneServer),
    ("master_link_down_since_seconds", OneServer),
    ("master_link_status", OneServer),
    ("master_port", OneServer),
    ("master_repl_offset", OneServer),
    ("master_replid", OneServer),
    ("master_replid2", OneServer),
    ("master_sync_in_progress", OneServer),
    ("master_total_sync_attempts", OneServer),
    ("maxmemory", Limit),
    ("maxmemory_human", Human("maxmemory")),
    ("maxmemory_policy", Unless("noeviction")),
    ("mem_allocator", Alike),
    ("mem_aof_buffer", Sum),
    ("mem_clients_normal", Sum),
    ("mem_clients_slaves", Sum),
    ("mem_cluster_links", Sum),
    ("mem_cluster_slot_export", Sum),
    ("mem_cluster_slot_import", Sum),
    ("mem_fragmentation_bytes", Sum),
    ("mem_fragmentation_ratio", Ratio),
    ("mem_not_counted_for_evict", Sum),
    ("mem_overhead_db_hashtable_rehashing", Sum),
    ("mem_replica_full_sync_buffer", Sum),
    ("mem_replicas_repl_buffer", Sum),
    ("mem_replication_backlog", Sum),
    ("mem_total_replication_buffers", Sum),
    ("migrate_cached_sockets", Sum),
    ("module", Alike),
    ("module_fork_in_progress", Most),
    ("module_fork_last_cow_size", Sum),
    ("monotonic_clock", Alike),
    ("multiplexing_api", Alike),
    ("number_of_cached_scripts", Most),
    ("number_of_functions", Most),
    ("number_of_libraries", Most),
    ("os", Alike),
    ("paused_actions", Unless("none")),
    ("paused_reason", Unless("none")),
    ("paused_timeout_milliseconds", Most),
    ("process_supervised", Alike),
    ("pubsub_channels", Sum),
    ("pubsub_clients", Sum),
    ("pubsub_patterns", Sum),
    ("pubsubshard_channels", Sum),
    ("rdb_bgsave_in_progress", Most),
    ("rdb_changes_since_last_save", Sum),
    ("rdb_current_bgsave_time_sec", Most),
    ("rdb_last_bgsave_status", Unless("ok")),
    ("rdb_last_bgsave_time_sec", Most),
    ("rdb_last_cow_size", Sum),
    ("rdb_last_load_keys_expired", Sum),
    ("rdb_last_load_keys_loaded", Sum),
    ("rdb_last_save_time", Least),
    ("rdb_saves", Sum),
    ("redis_build_id", Alike),
    ("redis_git_dirty", Alike),
    ("redis_git_sha1", Alike),
    ("redis_version", Version),
    ("rejected_connections", Sum),
    ("repl_backlog_active", Most),
    ("repl_backlog_first_byte_offset", OneServer),
    ("repl_backlog_histlen", Sum),
    ("repl_backlog_size", Least),
    ("replica_announced", Alike),
    ("replica_full_sync_buffer_peak", Peak),
    ("replica_full_sync_buffer_size", Sum),
    ("replicas_repl_buffer_peak", Peak),
    ("replicas_repl_buffer_size", Sum),
    ("replicas_waiting_psync", Sum),
    ("reply_buffer_expands", Sum),
    ("reply_buffer_shrinks", Sum),
    ("role", Unless("slave")),
    ("rss_overhead_bytes", Sum),
    ("rss_overhead_ratio", Ratio),
    ("second_repl_offset", OneServer),
    ("server_name", Alike),
    ("server_time_usec", Most),
    ("slave_expires_tracked_keys", Sum),
    ("slave_priority", OneServer),
    ("slave_read_only", Alike),
    ("slave_read_repl_offset", OneServer),
    ("slave_repl_offset", OneServer),
    ("slot_migration_fork_in_progress", Most),
    ("sync_full", Sum),
    ("sync_partial_err", Sum),
    ("sync_partial_ok", Sum),
    ("tls_ca_cert_expires_in_seconds", Least),
    ("tls_ca_cert_serial", Alike),
    ("tls_client_cert_expires_in_seconds", Least),
    ("tls_client_cert_serial", Alike),
    ("tls_server_cert_expires_in_seconds", Least),
    ("tls_server_cert_serial", Alike),
    ("total_active_defrag_time", Sum),
    ("total_blocking_keys", Sum),
    ("total_blocking_keys_on_nokey", Sum),
    ("total_commands_processed", Sum),
    ("total_connections_received", Sum),
    ("total_disconnect_time_sec", OneServer),
    ("total_error_replies", Sum),
    ("total_eviction_exceeded_time", Sum),
    ("total_forks", Sum),
    ("total_net_cluster_slot_export_bytes", Sum),
    ("total_net_cluster_slot_import_bytes", Sum),
    ("total_net_input_bytes", Sum),
    ("total_net_output_bytes", Sum),
    ("total_net_repl_input_bytes", Sum),
    ("total_net_repl_output_bytes", Sum),
    ("total_reads_processed", Sum),
    ("total_system_memory", Most),
    ("total_system_memory_human", Human("total_system_memory")),
    ("total_watched_keys", Sum),
    ("total_writes_processed", Sum),
    ("tracking_clients", Sum),
    ("tracking_total_items", Sum),
    ("tracking_total_keys", Sum),
    ("tracking_total_prefixes", Sum),
    ("unexpected_error_replies", Sum),
    ("used_active_time_main_thread", Sum),
    ("used_cpu_sys", Sum),
    ("used_cpu_sys_children", Sum),
    ("used_cpu_sys_main_thread", Sum),
    ("used_cpu_user", Sum),
    ("used_cpu_user_children", Sum),
    ("used_cpu_user_main_thread", Sum),
    ("used_memory", Sum),
    ("used_memory_dataset", Sum),
    ("used_memory_dataset_perc", Ratio),
    ("used_memory_functions", Sum),
    ("used_memory_human", Human("used_memory")),
    ("used_memory_lua", Sum),
    ("used_memory_lua_human", Human("used_memory_lua")),
    ("used_memory_overhead", Sum),
    ("used_memory_peak", Peak),
    ("used_memory_peak_human", Peak),
    ("used_memory_peak_perc", Ratio),
    ("used_memory_peak_time", Peak),
    ("used_memory_rss", Sum),
    ("used_memory_rss_human", Human("used_memory_rss")),
    ("used_memory_scripts", Sum),
    ("used_memory_scripts_eval", Sum),
    ("used_memory_scripts_human", Human("used_memory_scripts")),
    ("used_memory_startup", Sum),
    ("used_memory_vm_eval", Sum),
    ("used_memory_vm_functions", Sum),
    ("used_memory_vm_total", Sum),
    ("used_memory_vm_total_human", Human("used_memory_vm_total")),
    ("valkey_release_stage", Alike),
    ("valkey_version", Version),
    ("watching_clients", Sum),
];

/// The way of a field; `None` when the table does not have it.
pub(super) fn way(name: &str) -> Option<Way> {
    let place = FIELDS.binary_search_by_key(&name, |(field, _)| field);
    place.ok().map(|place| FIELDS[place].1)
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Human, Sum, way};
    use crate::join::server::info::{own::own_names, tally::is_tally};

    #[test]
    fn fields_are_sorted_and_their_human_forms_have_a_field() {
        assert!(FIELDS.windows(2).all(|two| two[0].0 < two[1].0));
        for (name, of) in FIELDS {
            assert_eq!(way(name), Some(*of));
            if let Human(field) = of {
                assert!(way(field).is_some(), "{name}");
            }
        }
        assert_eq!(way("used_memory"), Some(Sum));
        assert_eq!(way("nonsense"), None);
    }

    /// Fields that are numbered or named after a command: a port, a thread or a replica of one server, and percentiles,
    /// which cannot be summed.
    const FAMILIES: [&str; 5] = [
        "engine_",
        "io_thread_",
        "latency_percentiles_usec_",
        "listener",
        "slave",
    ];

    #[test]
    fn every_field_of_the_servers_has_one_way() {
        let listed = include_str!("../../../../../fixtures/info/fields.txt");
        let mut names = listed
            .lines()
            .filter(|line| !line.starts_with('#'))
            .peekable();
        assert!(names.peek().is_some());
        for name in names {
            let is_own = own_names().contains(&name);
            let is_of_a_family = FAMILIES.iter().any(|family| name.starts_with(family));
            let ways = [way(name).is_some(), is_own, is_tally(name)];
            let ways = ways.iter().filter(|has| **has).count();
            assert!(ways == 1 || (ways == 0 && is_of_a_family), "{name}: {ways}");
        }
    }
}
