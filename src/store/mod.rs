//! Queries: free functions, one file per aggregate.
//!
//! Functions take a connection or a transaction. Statements that belong together run in `write`, an immediate
//! transaction: on SQLite a deferred transaction that reads first fails when another one has written.

pub mod alert;
mod binds;
pub mod calendar;
pub mod clock_mark;
pub mod cluster;
pub mod cluster_objects;
pub mod console_session;
mod counter;
pub mod custom_role;
mod database;
pub mod deployment;
pub mod deployment_rule;
pub mod environment;
pub mod event;
mod failed;
pub mod git_token;
pub mod group;
mod group_commit;
pub mod invitation;
pub mod job;
pub mod job_schedule;
pub mod job_usage;
pub mod log_chunk;
pub mod organization;
pub mod overview;
mod page;
pub mod person;
mod plan_glance;
pub mod project;
pub mod project_rule;
mod read_snapshot;
pub mod registry;
pub mod resource;
pub mod restriction;
pub mod row;
pub mod row_changes;
pub mod run;
pub mod schedule_hold;
pub mod seal_key;
mod sealed;
pub mod server_lease;
pub mod sign_in;
pub mod signing_key;
pub mod stage;
pub mod team;
pub mod token;
mod transaction;
mod transient;
pub mod variable;
pub mod webhook;
pub mod workspace;

pub use self::counter::lock_installation;
pub use self::database::{connect, notify, probe};
pub use self::page::PAGE;
pub use self::plan_glance::{PlanGlance, plan_glance};
pub use self::read_snapshot::snapshot;
pub use self::sealed::sealed_samples;
pub use self::transaction::{write, write_one};
pub use self::transient::{MayPass, Transient};
