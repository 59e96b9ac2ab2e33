//! Checks a job against the cluster that it runs in.

use entity::cluster;
use entity::cluster::ClusterKind;
use entity::job_spec::JobSpec;

use super::job_number::JobNumber;
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// Checks that a job has an image, unless it runs as a plain process.
///
/// # Errors
/// `Invalid` if it has none.
pub fn check_image(app: &App, spec: &JobSpec, cluster: &cluster::Model) -> Result<()> {
    if spec.source.is_none()
        && !(cluster.kind == ClusterKind::Local && app.runners.local_is_process() || cluster.kind == ClusterKind::Agent)
    {
        return Err(Error::invalid("source", "is missing; only jobs that run as plain processes need no image"));
    }
    Ok(())
}

/// Checks a configuration against the limits of its cluster.
///
/// # Errors
/// `Invalid` if it needs more.
pub fn check_limits(spec: &JobSpec, cluster: &cluster::Model) -> Result<()> {
    let mut faults = Faults::default();
    let mut check = |number: JobNumber, value: i32, most: i32| {
        faults.note(limits::between(number.field(), value, number.least(), most));
    };
    check(JobNumber::Cpu, spec.cpu_milli, cluster.maximum_cpu_milli);
    check(JobNumber::Memory, spec.memory_mib, cluster.maximum_memory_mib);
    check(JobNumber::Gpu, spec.gpu, 0);
    faults.result()
}
