//! Workspaces that wait for an approval, or whose newest plan found drift.

use chrono::{DateTime, Utc};
use entity::id::{OrganizationId, WorkspaceId};
use entity::workspace_job;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::store::binds::Binds;

/// A workspace that a rule may be about.
#[derive(Clone, Debug)]
pub struct WatchedWorkspace {
    pub organization: OrganizationId,
    pub workspace: WorkspaceId,
    pub job: i32,
    pub since: DateTime<Utc>,
    /// The team that is asked, or how many resources were changed.
    pub team: Option<String>,
    pub drift: i32,
}

/// Jobs that wait for an approval since before a time, in order.
///
/// # Errors
/// When the query fails.
pub async fn list_waiting_jobs(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<WatchedWorkspace>, DbErr> {
    type Row = (OrganizationId, WorkspaceId, i32, DateTime<Utc>, Option<String>);
    let rows: Vec<Row> = workspace_job::Entity::find()
        .select_only()
        .columns([
            workspace_job::Column::OrganizationId,
            workspace_job::Column::WorkspaceId,
            workspace_job::Column::Id,
            workspace_job::Column::UpdatedAt,
            workspace_job::Column::ApprovalTeam,
        ])
        // In the words of the partial index.
        .filter(Expr::cust("workspace_job.status = 'waitingApproval'"))
        .filter(workspace_job::Column::UpdatedAt.lte(before))
        .order_by_asc(workspace_job::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let watched = |(organization, workspace, job, since, team): Row| WatchedWorkspace {
        organization,
        workspace,
        job,
        since,
        team: team.filter(|team| !team.is_empty()),
        drift: 0,
    };
    Ok(rows.into_iter().map(watched).collect())
}

/// Whether the workspace of a plan `p` is there, and the plan looked at all that is in its state. For `EXISTS` or a join, PostgreSQL may
/// read whole tables instead of these rows.
pub(super) const IS_WHOLE: &str = "(SELECT NOT x.deleted FROM workspace x WHERE x.id = p.workspace_id) \
     AND (SELECT j.refresh FROM workspace_job j WHERE j.id = p.job_id)";

/// Whether a plan `p` is the newest whole one of its workspace, found drift that no apply has settled, and no state was stored since:
/// together with `IS_WHOLE`, what `workspace::open_drift` answers for one workspace.
pub(super) const IS_OPEN_DRIFT: &str = "p.drift > 0 AND p.sealed IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM workspace_address a WHERE a.job_id = p.job_id AND a.kind = 'TARGET') \
     AND NOT EXISTS (SELECT 1 FROM shown_plan n JOIN workspace_job j ON j.id = n.job_id AND j.refresh \
     WHERE n.workspace_id = p.workspace_id AND n.sealed IS NOT NULL \
     AND (n.created_at > p.created_at OR (n.created_at = p.created_at AND n.job_id > p.job_id)) \
     AND NOT EXISTS (SELECT 1 FROM workspace_address a WHERE a.job_id = n.job_id AND a.kind = 'TARGET')) \
     AND NOT EXISTS (SELECT 1 FROM state_version v WHERE v.workspace_id = p.workspace_id AND v.created_at > p.created_at)";

/// The workspaces with drift, in order.
///
/// # Errors
/// When the query fails.
pub async fn list_drifted(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<WatchedWorkspace>, DbErr> {
    let mut sql = Binds::new(
        db.get_database_backend(),
        &format!(
            "SELECT (SELECT w.organization_id FROM workspace w WHERE w.id = p.workspace_id), p.workspace_id, p.job_id, \
             p.created_at, p.drift FROM shown_plan p WHERE {IS_WHOLE} AND {IS_OPEN_DRIFT} \
             ORDER BY p.workspace_id, p.created_at LIMIT "
        ),
    );
    sql.value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint");
    let rows = db.query_all_raw(sql.statement()).await?;
    rows.iter()
        .map(|row| {
            Ok(WatchedWorkspace {
                organization: OrganizationId(row.try_get_by_index(0)?),
                workspace: WorkspaceId(row.try_get_by_index(1)?),
                job: row.try_get_by_index(2)?,
                since: row.try_get_by_index(3)?,
                team: None,
                drift: row.try_get_by_index(4)?,
            })
        })
        .collect()
}
