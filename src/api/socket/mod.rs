//! WebSockets for the official console and command line: the logs of a job, the log and state of a
//! deployment, and the running services. They read stored data only, so that any server can serve them.

mod connection;
mod log_stream;
mod request;
mod run_pod;
mod service_status_stream;
mod status_stream;

pub(super) use self::log_stream::{deployment_logs, service_logs};
pub(super) use self::service_status_stream::service_status;
pub(super) use self::status_stream::deployment_status;
