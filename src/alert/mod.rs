//! Alerts: decides what is told about jobs, deployments, workspaces and clusters, and sends it to receivers. Failed messages are
//! retried with backoff; what a receiver has accepted is not sent again.

pub use self::message_loop::{Memory, decide, run};
pub use self::receiver_change::{Given, GivenTarget};
pub use self::receiver_settings::{create_receiver, delete_receiver, edit_receiver, new_receiver};
pub use self::recorded::{recorded_receiver, recorded_rule, recorded_silence};
pub use self::rule_change::{WantedRule, WantedTarget};
pub use self::rule_settings::{create_rule, delete_rule, edit_rule};
pub use self::sealed_address::Address;
pub use self::send_due::send;
pub use self::silence_settings::{WantedSilence, WantedSilenced, create_silence, delete_silence, edit_silence};
pub use self::smtp::{is_mail_address, smarthost_origin};
pub use self::trial::try_out;

mod cluster_reach;
mod compose;
mod formats;
mod found;
mod hand_over;
mod happened;
mod idle_jobs;
mod judge;
mod long_for_webhooks;
mod message_loop;
mod open_runs;
mod receiver_change;
mod receiver_settings;
mod recorded;
mod recoveries;
mod refused;
mod rule_change;
mod rule_settings;
mod sealed_address;
mod send_due;
mod silence_settings;
mod silenced_items;
mod smtp;
mod subject;
mod timed;
mod trial;
mod waiting_workspaces;
