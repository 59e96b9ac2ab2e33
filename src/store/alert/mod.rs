//! Alerts: receivers, rules, causes, current alerts, and the messages to receivers.

mod causes;
mod current;
mod messages;
mod receiver_rows;
mod rule_rows;
mod subjects;
mod watched_runs;

pub use self::causes::{any_cause, delete_causes, note_deployment_failed, note_run_failed, note_skipped, take_causes};
pub use self::current::{
    AlertKey, delete_alerts, delete_alerts_of_rule, due_alerts, list_alerts, list_alerts_by_ids, list_alerts_of_rules,
    list_recovered, mark_notified, page_of_alerts, save_alert,
};
pub use self::messages::{
    claim_messages, create_message, delete_some_messages, end_message, extend_message, last_message, list_messages,
    next_message, open_message, release_message,
};
pub use self::receiver_rows::{forget_receiver, list_receivers, list_receivers_by_ids, note_error};
pub use self::rule_rows::{count_rules, list_rules, list_timed_rules, lock_rules, lock_rules_of};
pub use self::subjects::{Place, failed_in_a_row, job_names, places};
pub use self::watched_runs::{WatchedRun, list_late_runs, list_long_runs};
