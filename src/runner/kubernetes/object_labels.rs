//! Pure: the labels, annotations and names of our objects.

/// Marks the objects that this server manages (a recommended label of Kubernetes).
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

pub(super) const MANAGER: &str = "windlass";

/// The job that an object belongs to.
pub(super) const JOB: &str = "windlass.dev/job";

/// The environment that a namespace belongs to.
pub(super) const ENVIRONMENT: &str = "windlass.dev/environment";

/// Marks Jobs that were started by a CronJob.
pub(super) const SCHEDULED: &str = "windlass.dev/scheduled";

/// Marks a Job whose outcome and log are stored.
pub(super) const RECORDED: &str = "windlass.dev/recorded";

/// The run that applied a CronJob.
pub(super) const APPLIED_BY: &str = "windlass.dev/applied-by";

/// Set by the CronJob controller on the Jobs that it starts.
pub(super) const SCHEDULED_FOR: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The container that runs the step, as opposed to injected sidecars.
pub(super) const CONTAINER: &str = "main";
