//! Which rows of an organization a query reads.

use entity::id::{EnvironmentId, OrganizationId};

use crate::store::binds::Binds;

/// The environments that a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of an organization.
    Organization(OrganizationId),
    Environments(Vec<EnvironmentId>),
}

impl Sight {
    /// Appends the condition that `column` is one of the environments.
    pub(super) fn bind(&self, sql: &mut Binds, column: &str) {
        sql.sql(column);
        match self {
            Self::Organization(id) => {
                sql.sql(" IN (SELECT seen.id FROM environment seen WHERE seen.organization_id = ")
                    .value(*id, "uuid")
                    .sql(")");
            }
            Self::Environments(ids) => {
                ids_in(sql, ids.iter().map(|id| id.0));
            }
        }
    }
}

/// Appends " IN (...)"; no id is in an empty list.
pub(super) fn ids_in(sql: &mut Binds, ids: impl Iterator<Item = uuid::Uuid>) {
    sql.sql(" IN (");
    let mut is_first = true;
    for id in ids {
        sql.sql(if is_first { "" } else { ", " }).value(id, "uuid");
        is_first = false;
    }
    sql.sql(if is_first { "NULL)" } else { ")" });
}
