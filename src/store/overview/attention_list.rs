//! Lists of what needs attention: how many there are, and the first of them.

use chrono::{DateTime, Utc};
use entity::id::{EnvironmentId, JobId, ProjectId};
use sea_orm::{DbErr, FromQueryResult, QueryResult};

/// The most rows that are counted: more are "1,000 or more".
pub const COUNTED: usize = 1000;
/// The most rows of a list.
pub const SHOWN: usize = 50;

/// The first rows, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention<T> {
    pub count: usize,
    pub rows: Vec<T>,
}

/// A job, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct JobPlaceNames {
    pub job_id: JobId,
    pub job_name: String,
    pub environment_id: EnvironmentId,
    pub environment_name: String,
    pub project_id: ProjectId,
    pub project_name: String,
}

/// The columns of `JobPlaceNames`, for the aliases j, e and p.
pub(super) const PLACE: &str = "j.id AS job_id, j.name AS job_name, e.id AS environment_id, e.name AS environment_name, \
     p.id AS project_id, p.name AS project_name";
pub(super) const JOINS: &str = " JOIN environment e ON e.id = j.environment_id JOIN project p ON p.id = e.project_id ";

impl<T: FromQueryResult> Attention<T> {
    /// The rows of a query with a column `total`.
    pub(super) fn read(rows: &[QueryResult]) -> Result<Self, DbErr> {
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get("", "total"))?;
        let rows = rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?;
        Ok(Self { count: usize::try_from(count).unwrap_or(0), rows })
    }
}

/// Before and after a query of at most `COUNTED` rows, whose first `SHOWN` are read with the number of all.
pub(super) const FIRST: &str = "SELECT listed.*, COUNT(*) OVER () AS total FROM (";

pub(super) fn last(order: &str) -> String {
    format!(" ORDER BY {order} LIMIT {COUNTED}) listed ORDER BY {order} LIMIT {SHOWN}")
}

/// A time that may be missing.
pub(super) type Moment = Option<DateTime<Utc>>;
