//! What runs, and what waits for a person.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, RunId, WorkspaceId};
use entity::run_spec::RunSpec;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::attention_list::{Attention, COUNTED, FIRST, JOINS, JobPlaceNames, Moment, PLACE, last};
use super::sight::{Sight, ids_in};
use crate::store::binds::Binds;

/// A run that has started.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct OpenRun {
    #[sea_orm(nested)]
    pub place: JobPlaceNames,
    pub run_id: RunId,
    pub number: i64,
    /// When the first attempt started; none until the runner has reported it.
    pub started_at: Moment,
    /// With its time limit.
    pub spec: RunSpec,
}

/// The running runs of jobs, up to 1,000, the oldest first. `engine::run_lengths` tells which of them take longer than usual.
///
/// # Errors
/// When the query fails.
pub async fn running(db: &impl ConnectionTrait, sight: &Sight) -> Result<Vec<OpenRun>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "SELECT {PLACE}, r.id AS run_id, r.number, r.started_at, r.spec FROM run r JOIN job j ON j.id = r.job_id{JOINS}\
             WHERE r.state = 'RUNNING' AND "
        ),
    );
    sight.bind(&mut sql, "j.environment_id");
    sql.sql(&format!(" ORDER BY r.number LIMIT {COUNTED}"));
    OpenRun::find_by_statement(sql.statement()).all(db).await
}

/// A workspace job whose approval is awaited.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct WaitingJob {
    pub id: i32,
    pub workspace_id: WorkspaceId,
    pub workspace_name: String,
    pub created_by: String,
    pub updated_at: DateTime<Utc>,
    /// The team whose approval is awaited; empty or none if anyone with the permission may approve.
    pub approval_team: Option<String>,
}

/// The workspace jobs of an organization that wait for an approval, the oldest first: of these workspaces, or of all.
///
/// # Errors
/// When the query fails.
pub async fn waiting_jobs(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    workspaces: Option<&[WorkspaceId]>,
) -> Result<Attention<WaitingJob>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "{FIRST}SELECT w.id, w.workspace_id, s.name AS workspace_name, w.created_by, w.updated_at, w.approval_team \
             FROM workspace_job w JOIN workspace s ON s.id = w.workspace_id \
             WHERE w.status = 'waitingApproval' AND w.organization_id = "
        ),
    );
    sql.value(organization, "uuid");
    if let Some(workspaces) = workspaces {
        sql.sql(" AND w.workspace_id");
        ids_in(&mut sql, workspaces.iter().map(|id| id.0));
    }
    sql.sql(&last("id"));
    Attention::read(&db.query_all_raw(sql.statement()).await?)
}
