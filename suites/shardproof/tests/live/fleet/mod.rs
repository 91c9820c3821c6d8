//! Live nodes checked and repaired: each promise over real Redis, and all of them under load behind real proxies.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod behind;
mod commands;
mod conflicts;
mod databases;
mod guard;
mod killed;
mod looks;
mod moves;
mod nodes;
mod preflight;
mod registers;

use std::future::Future;

use libtest_mimic::Trial;
use tokio::runtime::Runtime;

use crate::support::{self, Presence};

/// A trial named by its promise.
macro_rules! promises {
    ($($room:ident::$promise:ident),* $(,)?) => {
        vec![$(promise(
            Presence::Expected,
            concat!("fleet::", stringify!($room), "::", stringify!($promise)),
            $room::$promise,
        )),*]
    };
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = promises![
        commands::looking_and_a_dry_run_write_nothing,
        commands::mistakes_are_reported_in_one_line,
        commands::a_plan_counts_the_keys_of_live_nodes,
        commands::a_prefix_spares_all_other_keys,
        commands::nothing_is_moved_by_another_placement_than_the_proxys,
        commands::a_killed_migration_loses_no_key_and_can_continue,
        databases::the_database_of_the_description_is_looked_at,
        databases::keys_in_other_databases_are_counted_and_named,
        databases::all_databases_are_looked_at_and_put_right,
        databases::locate_and_plan_read_the_named_database,
        conflicts::two_values_on_wrong_nodes_are_named_and_stay,
        conflicts::the_copy_of_the_chosen_node_is_kept,
        conflicts::equal_copies_are_no_conflict,
        preflight::missing_functions_keep_keys_from_moving,
        preflight::settings_and_users_are_compared_and_secrets_are_not_shown,
        preflight::a_refused_command_makes_a_point_unknown,
        preflight::large_keys_are_listed_and_stay,
        preflight::large_copies_on_other_nodes_are_not_read,
        guard::answers_that_do_not_differ_are_no_evidence,
        guard::an_empty_fleet_is_verified_by_writing_only,
        guard::tagged_keys_that_show_nothing_leave_a_doubt,
        guard::the_library_moves_nothing_where_the_proxy_disagrees,
        looks::each_key_has_the_state_of_its_place,
        looks::copies_are_compared_by_content,
        looks::a_scan_returns_every_key_once_and_only_those_of_its_prefix,
        looks::threads_take_the_keys_of_live_nodes,
        looks::an_impossible_fleet_is_refused,
        moves::values_of_every_type_keep_their_content_and_expiry,
        moves::without_pexpiretime_no_life_is_prolonged,
        moves::a_key_that_expires_while_it_is_moved_is_gone_on_both,
        moves::a_write_through_the_switched_proxy_wins,
        moves::copies_of_another_value_can_be_spared,
        moves::a_write_to_the_old_node_during_the_move_is_not_deleted,
        moves::a_key_deleted_before_its_move_is_back_and_reported,
        moves::our_own_deletes_are_not_reported,
        moves::a_key_that_its_right_node_refuses_stays,
        moves::only_misplaced_keys_are_touched,
        moves::large_values_are_moved_few_at_a_time,
        moves::a_rate_is_kept,
    ];
    trials.push(promise(
        preflight::newer_servers(),
        "fleet::preflight::dumps_that_would_be_refused_block",
        preflight::dumps_that_would_be_refused_block,
    ));
    trials.extend(behind::trials());
    trials.extend(killed::trials());
    trials
}

fn promise<F: Future<Output = ()> + 'static>(
    presence: Presence,
    name: &str,
    test: fn() -> F,
) -> Trial {
    support::trial(name.replace('_', "-"), presence, move || {
        Runtime::new()?.block_on(test());
        Ok(())
    })
}
