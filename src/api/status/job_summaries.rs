//! All jobs of an organization: where they are, when they run next, and what became of their last run.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::{EnvironmentId, JobId, OrganizationId};
use entity::job_spec::JobType;
use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::last_run::LastRun;
use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::job::RunStateEnum;
use crate::api::tag::Tag;
use crate::api::wire::{Json, Success, Timestamp, mirrored};
use crate::app::App;
use crate::engine::cron::schedule_text;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;
use crate::store::overview::{JobEntry, JobFilter, JobPosition};

mirrored!(JobKindEnum of JobType { Lifecycle, Cron, Check });

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobSummary {
    id: Uuid,
    name: String,
    job_type: JobKindEnum,
    environment_id: Uuid,
    environment_name: String,
    project_id: Uuid,
    project_name: String,
    deployed: bool,
    /// When it runs, in words.
    schedule: String,
    next_run_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    last_run: Option<LastRun>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct JobSummaryPage {
    results: Vec<JobSummary>,
    next_after: Option<String>,
}

impl JobSummary {
    fn new(job: JobEntry, last_run: Option<LastRun>) -> Self {
        let JobEntry {
            id,
            name,
            name_key: _,
            job_type,
            spec,
            is_deployed,
            environment_id,
            environment_name,
            mode: _,
            cluster_id: _,
            project_id,
            project_name,
            next_run_at,
        } = job;
        Self {
            id: id.0,
            name,
            job_type: job_type.into(),
            environment_id: environment_id.0,
            environment_name,
            project_id: project_id.0,
            project_name,
            deployed: is_deployed,
            schedule: schedule_text(id, &spec),
            next_run_at: next_run_at.map(Timestamp),
            last_run,
        }
    }
}

/// A place in the list as a text.
fn cursor((name_key, environment): &JobPosition) -> String {
    format!("{}:{name_key}", environment.0)
}

fn position(text: &str) -> Result<JobPosition> {
    let parts = text.split_once(':').and_then(|(id, name)| Some((Uuid::parse_str(id).ok()?, name)));
    let (environment, name) =
        parts.ok_or_else(|| Error::invalid("after", "must be the next_after of an earlier page"))?;
    Ok((name.to_owned(), EnvironmentId(environment)))
}

pub(in crate::api) struct JobSummaryApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl JobSummaryApi {
    #[oai(
        path = "/organization/:organizationId/job",
        method = "get",
        operation_id = "listOrganizationJobs",
        tag = Tag::Jobs
    )]
    async fn list(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization: Path<Uuid>,
        text: Query<Option<String>>,
        state: Query<Option<RunStateEnum>>,
        #[oai(default = "default_count")] count: Query<i32>,
        after: Query<Option<String>>,
    ) -> Result<Success<JobSummaryPage>> {
        let db = &self.0.db;
        let organization = access::organization(db, &auth.0, Action::View, OrganizationId(organization.0)).await?;
        let count = limits::between("count", count.0, 1, 1000)?;
        let after = after.0.as_deref().map(position).transpose()?;
        let sight = access::sight(db, &auth.0, organization.id).await?;
        let filter = JobFilter { text: text.0, outcome: state.0.map(Into::into), ..JobFilter::default() };
        let most = usize::try_from(count).unwrap_or(1);
        let mut jobs =
            store::overview::job_page(db, &sight, &filter, after.as_ref(), u64::from(count.unsigned_abs()) + 1).await?;
        let is_cut = jobs.len() > most;
        jobs.truncate(most);
        let next_after = jobs.last().filter(|_| is_cut).map(|job| cursor(&job.position()));
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let newest = store::overview::newest_runs(db, &ids, 1).await?;
        let numbers = newest.iter().map(|run| (run.number, run.job_id)).collect::<HashMap<_, _>>();
        let outcomes = store::run::outcomes_by_number(db, numbers.keys().copied().collect()).await?;
        let mut last: HashMap<JobId, LastRun> =
            outcomes.into_iter().filter_map(|run| Some((*numbers.get(&run.number)?, LastRun::from(run)))).collect();
        let summary = |job: JobEntry| {
            let run = last.remove(&job.id);
            JobSummary::new(job, run)
        };
        Ok(Json(JobSummaryPage { results: jobs.into_iter().map(summary).collect(), next_after }))
    }
}

fn default_count() -> i32 {
    100
}

#[cfg(test)]
mod tests {
    use entity::id::EnvironmentId;

    use super::{cursor, position};

    #[test]
    fn a_place_is_read_back() {
        let place = ("a:b".to_owned(), EnvironmentId::create());
        assert_eq!(position(&cursor(&place)).unwrap(), place);
        for wrong in ["", "a", "a:b"] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }
}
