//! Clusters: whether one can be used or deleted, and the passes that connect to those of Kubernetes, record what their CronJobs started,
//! notice manual changes, and look for agents.

pub mod agent_status;
mod agents_seen;
pub(super) mod connect;
pub(super) mod drift;
pub mod open_run;
pub(super) mod record;
pub mod usable;
