//! The jobs of an organization by name, a page at a time.

use chrono::{DateTime, Utc};
use entity::environment::Mode;
use entity::id::{ClusterId, EnvironmentId, JobId, ProjectId};
use entity::job_spec::{JobSpec, JobType};
use entity::run::RunState;
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbBackend, DbErr, FromQueryResult};

use super::sight::Sight;
use crate::store::binds::Binds;

/// Which jobs are listed.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// A part of the name, in any case.
    pub text: Option<String>,
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentId>,
    pub kind: Option<JobType>,
    /// The state of the newest run.
    pub outcome: Option<RunState>,
}

/// A job with where it is and what comes next.
#[derive(Clone, Debug, FromQueryResult)]
pub struct JobEntry {
    pub id: JobId,
    pub name: String,
    pub name_key: String,
    pub job_type: JobType,
    /// The deployed configuration; that of the job, if it is not deployed.
    pub spec: JobSpec,
    pub is_deployed: bool,
    pub environment_id: EnvironmentId,
    pub environment_name: String,
    pub mode: Mode,
    pub cluster_id: ClusterId,
    pub project_id: ProjectId,
    pub project_name: String,
    pub next_run_at: Option<DateTime<Utc>>,
}

/// The place of a job in the list: its name key and its environment, which are unique together.
pub type JobPosition = (String, EnvironmentId);

impl JobEntry {
    /// Where the page after this job begins.
    #[must_use]
    pub fn position(&self) -> JobPosition {
        (self.name_key.clone(), self.environment_id)
    }
}

/// Up to `limit` jobs by name, after `after`.
///
/// The places are found first, in the index of names alone; the rows of the page are read behind that.
///
/// # Errors
/// When the query fails.
pub async fn job_page(
    db: &impl ConnectionTrait,
    sight: &Sight,
    filter: &JobFilter,
    after: Option<&JobPosition>,
    limit: u64,
) -> Result<Vec<JobEntry>, DbErr> {
    let backend = db.get_database_backend();
    let mut sql = Binds::new(
        backend,
        "SELECT j.id, j.name, j.name_key, j.job_type, COALESCE(j.deployed, j.spec) AS spec, \
         j.deployed IS NOT NULL AS is_deployed, j.environment_id, e.name AS environment_name, e.mode, e.cluster_id, \
         e.project_id, p.name AS project_name, COALESCE(s.next_run_at, c.expected_for) AS next_run_at \
         FROM (SELECT job.environment_id, job.name_key FROM job WHERE ",
    );
    sight.bind(&mut sql, "job.environment_id");
    if let Some(id) = filter.environment {
        sql.sql(" AND job.environment_id = ").value(id, "uuid");
    }
    if let Some(id) = filter.project {
        sql.sql(" AND job.environment_id IN (SELECT inside.id FROM environment inside WHERE inside.project_id = ");
        sql.value(id, "uuid").sql(")");
    }
    if let Some(text) = filter.text.as_deref().map(entity::name_key).filter(|text| !text.is_empty()) {
        let position = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
        sql.sql(&format!(" AND {position}(job.name_key, ")).value(text, "text").sql(") > 0");
    }
    if let Some(kind) = filter.kind {
        sql.sql(" AND job.job_type = ").value(kind.to_value(), "text");
    }
    if let Some(outcome) = filter.outcome {
        sql.sql(" AND (SELECT newest.state FROM run newest WHERE newest.job_id = job.id ORDER BY newest.number DESC LIMIT 1) = ");
        sql.value(outcome.to_value(), "text");
    }
    if let Some((name_key, environment)) = after {
        sql.sql(" AND (job.name_key, job.environment_id) > (").value(name_key.clone(), "text").sql(", ");
        sql.value(*environment, "uuid").sql(")");
    }
    sql.sql(" ORDER BY job.name_key, job.environment_id LIMIT ");
    sql.value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint").sql(
        ") found JOIN job j ON j.environment_id = found.environment_id AND j.name_key = found.name_key \
         JOIN environment e ON e.id = j.environment_id JOIN project p ON p.id = e.project_id \
         LEFT JOIN job_schedule s ON s.job_id = j.id LEFT JOIN job_check c ON c.job_id = j.id ORDER BY j.name_key, j.environment_id",
    );
    JobEntry::find_by_statement(sql.statement()).all(db).await
}
