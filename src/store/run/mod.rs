//! Runs. Their state changes only through `claim` and `advance`, which check the expected state.

pub mod cancel;
mod insert;
mod open;
mod ownership;
pub mod retention;
mod run_list;
pub mod scheduled;
pub mod skipped;
mod transition;

pub use self::insert::create;
pub use self::open::{
    count_by_owner, count_by_state, count_open, count_open_by_job, count_open_of_schedules, list_queued_since,
    list_queued_to_cancel,
};
pub use self::ownership::{Lease, Orphans, claim, end_leases, mine, renew};
pub use self::run_list::{
    by_id, by_idempotency_key, list_by_ids, list_by_job, list_failed, list_newest_of_environments, list_scheduled_between,
};
pub use self::transition::{Expected, Handover, advance, hand_over, note_stop};
