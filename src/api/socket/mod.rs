//! Web sockets, as the official console and command line open them: logs of a job, logs and state of a deployment, and
//! what runs now. They look at what is stored, as every other reader does, so that any server can answer them.

mod connection;
mod log_stream;
mod request;
mod run_pod;
mod service_status_stream;
mod status_stream;

pub(super) use self::log_stream::{deployment_logs, service_logs};
pub(super) use self::service_status_stream::service_status;
pub(super) use self::status_stream::deployment_status;
