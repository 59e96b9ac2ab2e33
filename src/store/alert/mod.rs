//! Alerts: receivers, rules, causes, current alerts, and the messages to receivers.

mod alert_glance;
mod alert_pulse;
mod causes;
mod current;
mod messages;
mod receiver_rows;
mod rule_rows;
mod silence_rows;
mod subjects;
mod successes;
mod watched_runs;
mod watched_workspaces;

pub use self::alert_glance::{AlertGlance, GLANCED, glance};
pub use self::alert_pulse::pulse_of_alerts;
pub use self::causes::{any_cause, delete_causes, note_deployment_failed, note_run_failed, note_skipped, take_causes};
pub use self::current::{
    AlertKey, AlertsOf, delete_alerts, delete_alerts_of_rule, due_alerts, list_alerts, list_alerts_by_ids,
    list_alerts_of_rules, list_recovered, list_told_alerts, mark_notified, page_of_alerts, save_alert, tell_unheard,
    touch_alerts,
};
pub use self::messages::{
    change_claimed_message, change_message, claim_messages, create_message, delete_some_messages, end_message,
    last_message, list_messages, next_message, put_off_message, release_message, waiting_messages, wake_quiet_messages,
};
pub use self::receiver_rows::{forget_receiver, list_receivers, list_receivers_by_ids, note_error, smarthosts};
pub use self::rule_rows::{count_rules, list_rules, list_rules_by_ids, list_timed_rules, lock_rules, lock_rules_of};
pub use self::silence_rows::{
    count_silences, delete_old_silences, list_current_silences, list_silences, wake_suppressed,
};
pub use self::subjects::{
    Place, cluster_places, failed_in_a_row, groups_with_label, job_names, labels_of_jobs, places, workspace_places,
};
pub use self::successes::{
    IdleJob, begin_success, end_success, end_successes_of, list_idle_jobs, next_idle_job, note_successes,
};
pub use self::watched_runs::{WatchedRun, list_late_runs, list_long_runs};
pub use self::watched_workspaces::{WatchedWorkspace, list_drifted, list_waiting_jobs};
