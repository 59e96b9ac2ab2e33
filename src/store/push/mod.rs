//! Webhooks of repositories: what they follow, what they delivered, and what is reported back.

mod feedback_row;
mod head_row;
mod hook_row;
mod known_delivery;
mod push_glance;
mod push_hook_row;
mod push_row;

pub use self::feedback_row::{
    ReportEnd, claim_reports, delete_some_reports, end_report, list_reports, next_report, report_again, report_on,
};
pub use self::head_row::{
    add_head, ask_for_heads, claim_heads, delete_head, keep_head, list_auto_deployed, list_heads, lock_head,
    release_heads,
};
pub use self::hook_row::{
    PolledWorkspace, ask_for_polls, by_id, events, events_of, list_due_polls, list_polled, lock, of_workspace,
    release_polls, set_of_workspace, set_principal,
};
pub use self::push_glance::{GLANCED, PushGlance, glance};
pub use self::push_hook_row::{
    delete_some_hook_deliveries, known_hook_deliveries, list_hook_deliveries, list_hooks, lock_hook,
    newest_hook_delivery,
};
pub use self::push_row::{
    claim_waiting, delete_some_pushes, job_of_commit, known, list, lock_free_job, newer_job, newest_of_branch,
    older_waiting,
};
