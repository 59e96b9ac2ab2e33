//! Loads the calendars of jobs.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{JobId, OrganizationId};
use entity::job_spec::JobSpec;
use sea_orm::ConnectionTrait;

use super::advanced_settings::Settings;
use super::calendar::{Calendar, Calendars, EXCLUDE, ONLY, names};
use crate::error::{Error, Result};
use crate::store;

/// How many jobs are looked up together.
const TOGETHER: usize = 1000;

/// The calendars of jobs with these configurations; jobs without any are left out, and cost no query.
///
/// # Errors
/// Database errors.
pub async fn calendars_of_jobs(
    db: &impl ConnectionTrait,
    jobs: &[(JobId, &JobSpec)],
) -> Result<HashMap<JobId, Calendars>> {
    let specs: HashMap<JobId, &JobSpec> = jobs.iter().copied().filter(|(_, spec)| !names(spec).is_empty()).collect();
    let mut found = HashMap::new();
    let ids: Vec<JobId> = specs.keys().copied().collect();
    for ids in ids.chunks(TOGETHER) {
        let (rows, places) = store::calendar::list_of_jobs(db, ids).await?;
        let mut known: HashMap<OrganizationId, Vec<Arc<Calendar>>> = HashMap::new();
        for row in rows {
            match Calendar::parse(&row.name, &row.timezone, &row.entries) {
                Ok(calendar) => {
                    let whole = Arc::new(calendar.with(&row.occurrences));
                    known.entry(row.organization_id).or_default().push(whole);
                }
                Err(faults) => tracing::error!(calendar = %row.id, ?faults, "a stored calendar cannot be read"),
            }
        }
        for (job, organization) in places {
            let known = known.get(&organization).map(Vec::as_slice).unwrap_or_default();
            if let Some(spec) = specs.get(&job) {
                found.insert(job, Calendars::of(spec, known));
            }
        }
    }
    Ok(found)
}

/// The calendars of one job.
///
/// # Errors
/// Database errors.
pub async fn calendars_of_job(db: &impl ConnectionTrait, job: JobId, spec: &JobSpec) -> Result<Calendars> {
    Ok(calendars_of_jobs(db, &[(job, spec)]).await?.remove(&job).unwrap_or_default())
}

/// The calendars that a job names must exist, and stay until the transaction has stored the job.
///
/// # Errors
/// `Invalid` if there is no such calendar; database errors.
pub async fn hold_calendars(tx: &impl ConnectionTrait, organization: OrganizationId, spec: &JobSpec) -> Result<()> {
    let wanted = names(spec);
    if wanted.is_empty() {
        return Ok(());
    }
    let known = store::calendar::hold_names(tx, organization, &wanted).await?;
    for field in [EXCLUDE, ONLY] {
        if let Some(unknown) = Settings(&spec.settings).names(field).iter().find(|name| !known.contains(name)) {
            return Err(Error::invalid(field, format!("{unknown} is no calendar of the organization")));
        }
    }
    Ok(())
}
