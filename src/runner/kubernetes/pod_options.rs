//! Pure: what only Kubernetes needs to know of a step.

use entity::job_spec::{CpuArchitecture, Probe};

/// How a step becomes a pod. `Default` is a pod without wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodOptions {
    pub namespace: String,
    pub namespace_labels: Vec<(String, String)>,
    /// How often Kubernetes itself starts a failed attempt again.
    pub retries: i32,
    /// For all attempts together, in seconds; none sets no limit.
    pub deadline_seconds: Option<i32>,
    /// How long a finished Job is kept; none where the server removes it.
    pub ttl_seconds: Option<i32>,
    /// Between the polite and the forced end, in seconds.
    pub grace_seconds: i64,
    pub port: Option<i32>,
    pub readiness: Option<Probe>,
    pub liveness: Option<Probe>,
    pub gpu: i32,
    pub ephemeral_storage_gib: Option<i32>,
    pub architecture: Option<CpuArchitecture>,
    /// Labels that its node must have.
    pub node_labels: Vec<(String, String)>,
    pub service_account: Option<String>,
    pub automount_token: bool,
    /// Of its groups.
    pub labels: Vec<(String, String)>,
    pub annotations: Annotations,
    /// The file in the folder of outputs that is kept: a kubelet keeps one, and the first 4096 bytes of it.
    pub message_file: Option<&'static str>,
    /// With them it is a CronJob, and nothing is run now.
    pub times: Option<CronTimes>,
}

/// The annotations of its groups, by what they are set on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    pub jobs: Vec<(String, String)>,
    pub cron_jobs: Vec<(String, String)>,
    pub pods: Vec<(String, String)>,
    pub secrets: Vec<(String, String)>,
}

/// What happens to a time while a Job of the schedule is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Allow,
    Forbid,
    Replace,
}

/// When a CronJob starts its Jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronTimes {
    /// Five fields, as Kubernetes reads them.
    pub schedule: String,
    /// IANA name.
    pub zone: String,
    pub concurrency: Concurrency,
    pub suspended: bool,
    pub starting_deadline_seconds: Option<i32>,
    /// How many Jobs Kubernetes keeps.
    pub keep_succeeded: i32,
    pub keep_failed: i32,
    /// The run that applies it: so it is known to have been applied.
    pub applied_by: String,
}
