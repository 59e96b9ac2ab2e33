//! Steps as Jobs in a Kubernetes cluster, and schedules as CronJobs.
//!
//! A Job is named after its step, so that a second start finds the first; it outlives this server. Watches keep the
//! state of the cluster in memory: polling a step sends no request, and an unreachable cluster blocks nothing else.

mod api_error;
mod apply_step;
pub mod cluster_place;
pub mod connections;
mod cron_job;
mod disconnected;
pub mod handle;
mod health;
mod job_status;
mod kubeconfig;
mod kubernetes_runner;
mod namespace;
mod object_labels;
mod object_parts;
mod object_store;
mod objects;
mod pod_log;
mod pod_log_stream;
pub mod pod_options;
mod pod_template;
mod runner_calls;
mod watch;
mod watch_state;

pub use self::cron_job::{APPLIED_FILE, CronJobVersion, ScheduledJob};
pub use self::health::Health;
pub use self::kubeconfig::{IN_CLUSTER, parse_kubeconfig};
pub use self::kubernetes_runner::KubernetesRunner;
