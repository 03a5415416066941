//! One suite, two databases: every case runs on SQLite and, where Debian's PostgreSQL is installed, on that.

#![expect(clippy::unwrap_used, reason = "a case that cannot go on has failed")]

mod adoptions;
mod atomicity;
mod beginning;
mod copies;
mod events;
mod journal;
mod leases;
mod lists;
mod people;
mod postgres;
mod records;
mod repetition;
mod reservations;
mod retention;
mod schema;
/// The server itself; the tests of the whole start it, too.
#[path = "../../../../tests/world/postgres.rs"]
mod server;
mod trouble;
mod turns;
mod wishes;
mod world;

use world::World;

/// The table of contents. Each case gets a database of its own.
macro_rules! conformance {
    ($($module:ident { $($case:ident),* $(,)? })*) => {
        mod on_sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    crate::$module::$case(&crate::World::on_sqlite().await).await;
                }
            )*)*
        }

        /// One server for all cases: to start one for each would take longer than the cases.
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn on_postgres() {
            if !server::Postgres::is_installed() {
                return;
            }
            let server = server::Postgres::start().await;
            let mut cases = 0;
            $($(
                println!("on_postgres: {}::{}", stringify!($module), stringify!($case));
                // On the heap: all these futures together are more than a thread's stack.
                Box::pin(async {
                    $module::$case(&World::on_postgres(&server, stringify!($case)).await).await;
                })
                .await;
                cases += 1;
            )*)*
            println!("on_postgres: {cases} cases passed");
        }
    };
}

conformance! {
    schema { is_migrated_once_by_two_replicas, newer_than_the_program_is_refused }
    beginning {
        deploy_writes_everything_at_once,
        a_taken_name_is_refused,
        a_name_is_free_after_deletion,
        one_operation_lives_per_app,
        two_starts_race_and_one_wins,
        an_app_that_is_deleted_meanwhile_is_not_found,
        fifty_deployments_at_once,
    }
    repetition {
        a_repeated_request_is_done_once,
        a_key_is_bound_to_its_request,
        a_key_is_forgotten_after_a_day,
    }
    leases {
        the_oldest_is_claimed_first,
        two_claimers_race_and_one_wins,
        many_claimers_take_each_operation_once,
        a_lease_that_is_over_is_claimed_by_another,
        a_thawed_driver_is_refused_everywhere,
        a_released_operation_is_claimed_at_once,
        renewal_holds_the_lease_and_reads_the_wish,
        duties_are_held_by_one,
    }
    journal {
        the_journal_is_read_as_it_was_written,
        status_follows_the_journal,
        a_saga_survives_its_driver,
        finishing_frees_the_app_and_ends_the_lease,
        stuck_keeps_the_app,
    }
    atomicity { a_dropped_append_is_whole_or_nothing, a_refused_transaction_leaves_nothing }
    events {
        pages_in_order_and_by_filter,
        notes_keep_their_order,
        hostile_lines_are_kept_readable,
        a_follower_is_woken,
        a_follower_sees_another_replica,
        numbers_appear_in_the_order_of_commits,
        many_followers_miss_nothing,
        looking_whether_it_can_be_written_disturbs_no_writer,
    }
    wishes {
        a_cancel_wish_is_seen_by_the_driver,
        a_cancel_that_comes_too_late_is_refused,
        retry_goes_on_where_it_is_stuck,
        retry_goes_back_where_it_went_back,
        abandon_frees_the_app,
    }
    adoptions {
        an_app_is_adopted_taken_back_and_adopted_again,
        an_adoption_takes_nobodys_name_or_number,
        a_look_never_speaks_over_an_operation,
    }
    reservations {
        a_vmid_is_held_by_one_app,
        two_reservations_race_and_one_wins,
        promises_are_of_living_apps_with_a_node,
        observation_yields_to_an_operation,
    }
    turns {
        a_full_node_holds_up_only_its_own,
        the_limits_hold_for_all_replicas,
        what_is_short_has_a_place_of_its_own,
        parking_stops_claims_everywhere,
        the_same_room_is_not_promised_twice,
    }
    lists { pages_are_stable_under_inserts, filters_and_counts, a_foreign_cursor_is_refused }
    people {
        users_are_unique_by_name,
        sessions_end,
        a_changed_password_ends_sessions,
        tokens_end_and_are_revoked,
    }
    copies {
        rows_go_to_another_database_and_back,
        a_broken_copy_changes_nothing,
        a_copy_of_an_older_schema_is_brought_up_to_date,
    }
    retention { old_things_are_forgotten_and_living_ones_kept }
    records { host_keys_are_learnt_once, settings_are_set_once_by_the_first, the_audit_log_is_paged, the_audit_log_is_filtered }
}
