//! Kubernetes clusters: whether one can be used or deleted, and the passes that connect to them, record what their CronJobs started, and
//! notice manual changes.

pub(super) mod connect;
pub(super) mod drift;
pub mod open_run;
pub(super) mod record;
pub mod usable;
