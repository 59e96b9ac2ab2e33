//! Pure: the options of a step that only Kubernetes uses.

use entity::job_spec::{CpuArchitecture, Probe};

/// How a step becomes a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodOptions {
    pub namespace: String,
    pub namespace_labels: Vec<(String, String)>,
    /// How often Kubernetes restarts a failed attempt.
    pub retries: i32,
    /// The time limit of all attempts together, in seconds.
    pub deadline_seconds: Option<i32>,
    /// How long Kubernetes keeps a finished Job; none if the server removes it.
    pub ttl_seconds: Option<i32>,
    /// The time between SIGTERM and SIGKILL, in seconds.
    pub grace_seconds: i64,
    pub port: Option<i32>,
    pub readiness: Option<Probe>,
    pub liveness: Option<Probe>,
    pub gpu: i32,
    pub ephemeral_storage_gib: Option<i32>,
    pub architecture: Option<CpuArchitecture>,
    /// Labels that the node must have.
    pub node_labels: Vec<(String, String)>,
    pub service_account: Option<String>,
    pub automount_token: bool,
    /// From the label groups of the job.
    pub labels: Vec<(String, String)>,
    pub annotations: Annotations,
    /// The one file in the output folder that is kept: a kubelet keeps its first 4096 bytes.
    pub message_file: Option<&'static str>,
    /// With a schedule, the step becomes a CronJob and nothing runs right away.
    pub times: Option<CronTimes>,
}

/// The annotations of the annotation groups of a job, by the objects they are set on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    pub jobs: Vec<(String, String)>,
    pub cron_jobs: Vec<(String, String)>,
    pub pods: Vec<(String, String)>,
    pub secrets: Vec<(String, String)>,
}

/// What happens when a time is due while a Job of the schedule is still active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    Allow,
    Forbid,
    Replace,
}

/// The schedule of a CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronTimes {
    /// Five fields, in the dialect of Kubernetes.
    pub schedule: String,
    /// IANA name.
    pub zone: String,
    pub concurrency: Concurrency,
    pub suspended: bool,
    pub starting_deadline_seconds: Option<i32>,
    /// How many succeeded Jobs Kubernetes keeps.
    pub keep_succeeded: i32,
    pub keep_failed: i32,
    /// The run that applies the CronJob, so that its step can recognize the CronJob.
    pub applied_by: String,
}
