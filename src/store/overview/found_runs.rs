//! The runs of many jobs, newest first, a page at a time.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, GroupId, JobId, ProjectId};
use entity::run::{self, Event, RunState, Trigger};
use sea_orm::{ActiveEnum as _, ConnectionTrait, DbBackend, DbErr, FromQueryResult};

use super::run_number::{next_number, number_at, oldest_number};
use super::sight::{Sight, ids_in};
use crate::store::binds::Binds;

/// How many numbers one page goes through at most, so that a filter that matches nothing costs no more than this.
const WINDOW: i64 = 100_000;

/// Which runs are listed; a field that is `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct RunSearch {
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentId>,
    pub job: Option<JobId>,
    pub state: Option<RunState>,
    pub trigger: Option<Trigger>,
    pub event: Option<Event>,
    /// Created at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub until: Option<DateTime<Utc>>,
    /// Of jobs that use one of these groups.
    pub groups: Option<Vec<GroupId>>,
    /// A part of the job's name or of the reason, in any case.
    pub text: Option<String>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
}

/// A run, with the job and the environment that it belongs to.
#[derive(Clone, Debug)]
pub struct FoundRun {
    pub run: run::Model,
    pub place: RunPlace,
}

/// Where a run belongs.
#[derive(Clone, Debug, FromQueryResult)]
pub struct RunPlace {
    pub job_name: String,
    pub environment_id: EnvironmentId,
    pub environment_name: String,
    pub project_id: ProjectId,
}

/// Some runs, newest first.
#[derive(Clone, Debug, Default)]
pub struct RunPage {
    pub runs: Vec<FoundRun>,
    /// The `before` of the next page; none, if there are no older runs.
    pub next: Option<i64>,
}

/// Up to `limit` runs of the jobs that `sight` covers. A page goes through 100,000 runs of the installation at most: it may have fewer
/// runs than `limit`, even none, although there are more.
///
/// # Errors
/// When a query fails.
pub async fn run_page(
    db: &impl ConnectionTrait,
    sight: &Sight,
    search: &RunSearch,
    limit: u64,
) -> Result<RunPage, DbErr> {
    let oldest = match search.from {
        Some(from) => number_at(db, from).await?,
        None => oldest_number(db).await?,
    };
    let mut below = match search.until {
        Some(until) => number_at(db, until).await?,
        None => next_number(db).await?,
    };
    below = search.before.map_or(below, |before| before.min(below));
    let lowest = below.saturating_sub(WINDOW).max(oldest);
    if below <= lowest {
        return Ok(RunPage::default());
    }
    let mut sql = Binds::new(
        db.get_database_backend(),
        "SELECT r.*, job.name AS job_name, e.id AS environment_id, e.name AS environment_name, e.project_id FROM run r \
         JOIN job ON job.id = r.job_id JOIN environment e ON e.id = job.environment_id WHERE r.number < ",
    );
    sql.value(below, "bigint").sql(" AND r.number >= ").value(lowest, "bigint").sql(" AND ");
    sight.bind(&mut sql, "job.environment_id");
    conditions(&mut sql, db.get_database_backend(), search);
    sql.sql(" ORDER BY r.number DESC LIMIT ").value(i64::try_from(limit).unwrap_or(i64::MAX), "bigint");
    let rows = db.query_all_raw(sql.statement()).await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        runs.push(FoundRun {
            run: run::Model::from_query_result(&row, "")?,
            place: RunPlace::from_query_result(&row, "")?,
        });
    }
    let is_full = u64::try_from(runs.len()).unwrap_or(u64::MAX) >= limit;
    let reached = if is_full { runs.last().map_or(lowest, |last| last.run.number) } else { lowest };
    Ok(RunPage { runs, next: (reached > oldest).then_some(reached) })
}

fn conditions(sql: &mut Binds, backend: DbBackend, search: &RunSearch) {
    let RunSearch { project, environment, job, state, trigger, event, from, until, groups, text, before: _ } = search;
    if let Some(id) = project {
        sql.sql(" AND e.project_id = ").value(*id, "uuid");
    }
    if let Some(id) = environment {
        sql.sql(" AND e.id = ").value(*id, "uuid");
    }
    if let Some(id) = job {
        sql.sql(" AND r.job_id = ").value(*id, "uuid");
    }
    if let Some(state) = state {
        sql.sql(" AND r.state = ").value(state.to_value(), "text");
    }
    if let Some(trigger) = trigger {
        sql.sql(" AND r.\"trigger\" = ").value(trigger.to_value(), "text");
    }
    if let Some(event) = event {
        sql.sql(" AND r.event = ").value(event.to_value(), "text");
    }
    // Numbers are in the order of creation only nearly: transactions overlap.
    if let Some(from) = from {
        sql.sql(" AND r.created_at >= ").value(*from, "timestamptz");
    }
    if let Some(until) = until {
        sql.sql(" AND r.created_at < ").value(*until, "timestamptz");
    }
    if let Some(groups) = groups {
        sql.sql(" AND EXISTS (SELECT 1 FROM job_group g WHERE g.job_id = r.job_id AND g.group_id");
        ids_in(sql, groups.iter().map(|id| id.0));
        sql.sql(")");
    }
    if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
        let position = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
        sql.sql(&format!(" AND ({position}(job.name_key, ")).value(entity::name_key(text), "text");
        sql.sql(&format!(") > 0 OR {position}(lower(r.reason), lower(")).value(text.to_owned(), "text");
        sql.sql(")) > 0)");
    }
}
