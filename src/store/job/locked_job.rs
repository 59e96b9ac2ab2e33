//! A job that is locked to be changed. There is no other way to change the definition of a job, so that a change starts from what is
//! stored, and undoes nothing that somebody else has stored since the caller has read the job.

use chrono::{DateTime, Utc};
use entity::id::{GroupId, JobId};
use entity::job;
use entity::job_spec::JobSpec;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, EntityTrait, QuerySelect as _};

use crate::store::group;

/// A job that others cannot change until the transaction ends.
#[derive(Debug)]
pub struct LockedJob(job::Model);

/// Locks a job against changes by others, and reads it. Whoever only refers to it does not wait.
///
/// # Errors
/// When the statement fails.
pub async fn lock(tx: &impl ConnectionTrait, id: JobId) -> Result<Option<LockedJob>, DbErr> {
    Ok(job::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?.map(LockedJob))
}

impl LockedJob {
    /// The job as it is stored.
    #[must_use]
    pub const fn row(&self) -> &job::Model {
        &self.0
    }

    /// Changes the name and the configuration; the deployed state stays. Returns the job after the change.
    ///
    /// # Errors
    /// A unique violation when the name is taken.
    pub async fn edit(
        &self,
        tx: &impl ConnectionTrait,
        (name, spec): (String, JobSpec),
        now: DateTime<Utc>,
    ) -> Result<job::Model, DbErr> {
        let groups: Vec<GroupId> = spec.annotations_groups.iter().chain(&spec.labels_groups).copied().collect();
        let row = self.with((name, spec), now).update(tx).await?;
        group::set_of_job(tx, row.id, &groups).await?;
        Ok(row)
    }

    /// Changes the name and the configuration of a check, which applies at once. Returns the check after the change.
    ///
    /// # Errors
    /// A unique violation when the name is taken.
    pub async fn edit_check(
        &self,
        tx: &impl ConnectionTrait,
        (name, spec): (String, JobSpec),
        now: DateTime<Utc>,
    ) -> Result<job::Model, DbErr> {
        let (deployed, deployed_at) = (ActiveValue::Set(Some(spec.clone())), ActiveValue::Set(Some(now)));
        job::ActiveModel { deployed, deployed_at, ..self.with((name, spec), now) }.update(tx).await
    }

    fn with(&self, (name, spec): (String, JobSpec), now: DateTime<Utc>) -> job::ActiveModel {
        use ActiveValue::Set;
        job::ActiveModel {
            id: ActiveValue::Unchanged(self.0.id),
            name_key: Set(entity::name_key(&name)),
            name: Set(name),
            registry_id: Set(spec.registry_id()),
            git_token_id: Set(spec.git_token_id()),
            spec: Set(spec),
            updated_at: Set(now),
            ..Default::default()
        }
    }
}
