//! Runs. Their state changes only through `claim`, `advance` and `advance_all`, which check the expected state.

mod activity;
pub mod cancel;
mod in_turn;
mod insert;
mod many;
mod open;
mod ownership;
pub mod pinged;
mod queue_walk;
pub mod retention;
mod run_list;
mod run_outcome;
pub mod scheduled;
pub mod skipped;
pub mod slots;
mod transition;

pub use self::activity::{Activity, SharedActivity, activity};
pub use self::insert::{create, create_one};
pub use self::many::{HandOverRequest, RunEnding, advance_all, hand_over_all};
pub(in crate::store) use self::open::of_environment;
pub(in crate::store) use self::open::open;
pub use self::open::{
    count_by_state, count_open_by_environment, count_open_by_job, count_open_of_schedules, has_open,
    list_queued_to_cancel, open_at, waiting_for,
};
pub use self::ownership::{Orphans, claim, list_orphans, list_owned, list_owned_of, list_owned_to_cancel, take_over};
pub use self::queue_walk::{QueueWalk, QueuedRun, list_queued, turn_came};
pub use self::run_list::{
    RunFilter, by_id, by_idempotency_key, has_backfill, list_by_ids, list_by_job, list_created_between, list_failed,
    list_filtered, list_newest_of_environments, list_newest_scheduled_between, list_scheduled_between,
    list_scheduled_times, newest_of_event, newest_scheduled_time, next_of_job,
};
pub(in crate::store) use self::run_outcome::says_how_it_does;
pub use self::run_outcome::{LastRun, last_of_job, outcomes_by_number};
pub use self::transition::{
    Advanced, Expected, Follows, Handover, advance, begin_stop, give_up, hand_over, kept, note_end_seen, note_late_end,
    note_log_bytes, note_reason, note_stop, release_from_future,
};
