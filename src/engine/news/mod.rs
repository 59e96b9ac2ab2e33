//! What happened to runs, times of schedules and approvals, heard in one place: it becomes causes of alerts and deliveries of webhooks, in
//! the transaction that it happened in, so that none is lost and none is told that did not happen.

pub use self::alert_messages::{Outgoing, tell};
pub use self::alerts_end::{alerts_end, subject_deleted};
pub use self::approval_news::{approval_decided, approval_waiting};
pub(super) use self::news_payload::{escaped, is_covered};
pub use self::news_payload::{run_reason, wants};
pub use self::run_news::{run_given_up, runs_ended, runs_take_too_long, times_skipped, too_long_cause};

mod alert_messages;
mod alerts_end;
mod approval_news;
mod news_outbox;
mod news_payload;
mod run_news;
