//! Sealed values of several tables, to check whether the key file fits.

use entity::{alert_receiver, job_check, job_variables, registry, variable, webhook};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

/// The values per table.
const SAMPLES: u64 = 3;

/// A few of the newest sealed values: their table, the id of their row, and the value.
///
/// # Errors
/// When a query fails.
pub async fn sealed_samples(db: &impl ConnectionTrait) -> Result<Vec<(&'static str, Uuid, Vec<u8>)>, DbErr> {
    let mut samples = Vec::new();
    macro_rules! sample {
        ($table:ident, $id:ident, $sealed:ident) => {
            let rows: Vec<(Uuid, Vec<u8>)> = $table::Entity::find()
                .select_only()
                .columns([$table::Column::$id, $table::Column::$sealed])
                .filter($table::Column::$sealed.is_not_null())
                .order_by_desc($table::Column::$id)
                .limit(SAMPLES)
                .into_tuple()
                .all(db)
                .await?;
            samples.extend(rows.into_iter().map(|(id, sealed)| (stringify!($table), id, sealed)));
        };
    }
    sample!(job_check, JobId, Sealed);
    sample!(job_variables, JobId, Sealed);
    sample!(registry, Id, Credentials);
    sample!(webhook, Id, Secret);
    sample!(alert_receiver, Id, Sealed);
    if samples.is_empty() {
        // This table is the largest, and most of its rows are not sealed.
        sample!(variable, Id, Sealed);
    }
    Ok(samples)
}
