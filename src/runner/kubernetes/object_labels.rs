//! Pure: labels, annotations and names by which objects are known.

/// Says which objects are ours (a recommended label of Kubernetes).
pub(super) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

pub(super) const MANAGER: &str = "windlass";

/// The job that an object belongs to.
pub(super) const JOB: &str = "windlass.dev/job";

/// The environment that a namespace belongs to.
pub(super) const ENVIRONMENT: &str = "windlass.dev/environment";

/// On the Jobs that a CronJob starts.
pub(super) const SCHEDULED: &str = "windlass.dev/scheduled";

/// On a Job of which everything is stored.
pub(super) const RECORDED: &str = "windlass.dev/recorded";

/// On a CronJob: what it was applied by.
pub(super) const APPLIED_BY: &str = "windlass.dev/applied-by";

/// Written by the controller of CronJobs on the Jobs that it starts.
pub(super) const SCHEDULED_FOR: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The container that runs the step, and not one that somebody has put beside it.
pub(super) const CONTAINER: &str = "main";
