//! What a run of a job is started from: the job, where it belongs, its registry and its variables.

use std::fmt::Write as _;
use std::sync::LazyLock;

use entity::id::JobId;
use entity::{cluster, environment, job, registry};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult as _, IdenStatic as _, Iterable as _, QueryResult};

use crate::store::binds::Binds;

/// The job of a run, with its environment and its cluster.
#[derive(Clone, Debug)]
pub struct RunSubject {
    pub job: job::Model,
    pub environment: environment::Model,
    pub cluster: cluster::Model,
    /// The registry of its image, if it has one.
    pub registry: Option<registry::Model>,
    /// The variables of the deployed job, sealed.
    pub variables: Option<Vec<u8>>,
}

/// Plain SQL that is built once, because every run needs it.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    let mut sql = "SELECT v.sealed".to_owned();
    let mut add = |table: char, column: &str| {
        // Writing to a String cannot fail.
        let _written = write!(sql, ", {table}.{column} AS {table}_{column}");
    };
    job::Column::iter().for_each(|column| add('j', column.as_str()));
    environment::Column::iter().for_each(|column| add('e', column.as_str()));
    cluster::Column::iter().for_each(|column| add('c', column.as_str()));
    registry::Column::iter().for_each(|column| add('r', column.as_str()));
    sql.push_str(
        " FROM job j JOIN environment e ON e.id = j.environment_id JOIN cluster c ON c.id = e.cluster_id \
         LEFT JOIN registry r ON r.id = j.registry_id LEFT JOIN job_variables v ON v.job_id = j.id WHERE j.id ",
    );
    sql
});

/// What the runs of a job are started from. Boxed, because it is large.
///
/// # Errors
/// When the query fails.
pub async fn run_subject(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Box<RunSubject>>, DbErr> {
    Ok(run_subjects(db, &[id]).await?.pop())
}

/// The same for several jobs, in any order. Those that are not there are left out.
///
/// # Errors
/// When the query fails.
pub async fn run_subjects(db: &impl ConnectionTrait, ids: &[JobId]) -> Result<Vec<Box<RunSubject>>, DbErr> {
    let mut sql = Binds::new(db.get_database_backend(), SELECT.as_str());
    for (number, id) in ids.iter().enumerate() {
        sql.sql(if number == 0 { "IN (" } else { ", " }).value(id.0, "uuid");
    }
    sql.sql(")");
    db.query_all_raw(sql.statement()).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Box<RunSubject>, DbErr> {
    Ok(Box::new(RunSubject {
        job: job::Model::from_query_result(row, "j_")?,
        environment: environment::Model::from_query_result(row, "e_")?,
        cluster: cluster::Model::from_query_result(row, "c_")?,
        registry: registry::Model::from_query_result_optional(row, "r_")?,
        variables: row.try_get_by_index(0)?,
    }))
}
