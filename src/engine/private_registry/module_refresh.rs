//! Reads the tags of modules: on request, and again after a while.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ModuleVersionId, TerraformModuleId};
use entity::{module_version, registry_file, terraform_module};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait};

use super::module_source::repository;
use super::module_tags::{MOST, TaggedVersion, latest, versions};
use crate::app::App;
use crate::error::{Error, Result};
use crate::{git, store};

/// How many modules are read in a pass.
const IN_A_PASS: u64 = 20;
/// The longest reason that is stored, in characters.
const REASON: usize = 1000;

/// When the tags of a module are read again: after the interval, and up to a tenth of it later, so that modules that were created together
/// do not call their host together for ever.
fn again(app: &App, now: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = u64::from(app.config.module_refresh_minutes) * 60;
    let mut random = [0; 8];
    // Without random bytes, the modules are merely read together.
    let _filled = getrandom::fill(&mut random);
    let late = u64::from_le_bytes(random) % (seconds / 10 + 1);
    now + TimeDelta::seconds(i64::try_from(seconds + late).unwrap_or(i64::MAX / 2_000_000))
}

/// Reads the tags of a module now, and stores its versions. The inner error says why they could not be read; versions that were known stay.
///
/// # Errors
/// `NotFound` if the module is gone; database errors.
pub async fn refresh(app: &App, id: TerraformModuleId) -> Result<Result<(), String>> {
    let row = store::row::by_id::<terraform_module::Model>(&app.db, id).await?.ok_or(Error::NotFound("module"))?;
    let found = match repository(app, &row).await? {
        Ok(wanted) => git::tags(&wanted).await,
        Err(reason) => Err(reason),
    };
    let found = found.map(|tags| {
        let tags = tags.iter().map(|tag| (tag.name.as_str(), tag.commit.as_str()));
        versions(row.tag_prefix.as_deref().unwrap_or_default(), tags)
    });
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let Some(stored) = store::private_registry::lock_module(tx, id).await? else { return Ok(()) };
        // What was read of another repository, or with another prefix, says nothing.
        if (&stored.source, &stored.tag_prefix) != (&row.source, &row.tag_prefix) {
            return Ok(());
        }
        let stored = match &found {
            Ok(tagged) => {
                store_versions(tx, &stored, tagged, now).await?;
                let latest_version = latest(tagged);
                terraform_module::Model { latest_version, refreshed_at: Some(now), refresh_error: None, ..stored }
            }
            Err(reason) => {
                let reason = reason.chars().take(REASON).collect();
                terraform_module::Model { refresh_error: Some(reason), ..stored }
            }
        };
        store::row::update(tx, terraform_module::Model { refresh_due_at: again(app, now), ..stored }).await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok(found.map(drop))
}

/// Stores what changed: new tags, tags that lead to another commit, and tags that are gone. The archive of another commit is dropped.
async fn store_versions(
    tx: &impl ConnectionTrait,
    of: &terraform_module::Model,
    tagged: &[TaggedVersion],
    now: DateTime<Utc>,
) -> Result<()> {
    let most = MOST as u64 * 2;
    let known = store::private_registry::versions_of_module(tx, of.id, most).await?;
    let mut known: BTreeMap<String, module_version::Model> =
        known.into_iter().map(|row| (row.version.clone(), row)).collect();
    for TaggedVersion { version, tag, commit } in tagged {
        let row = known.remove(&version.to_string());
        match row {
            Some(row) if row.commit_id == *commit && row.git_tag == *tag => {}
            Some(row) => {
                let these = Condition::all().add(registry_file::Column::ModuleVersionId.eq(row.id));
                store::private_registry::release_files(tx, these).await?;
                let row = module_version::Model { git_tag: tag.clone(), commit_id: commit.clone(), ..row };
                store::row::update(tx, row).await?;
            }
            None => {
                let row = module_version::Model {
                    id: ModuleVersionId::create(),
                    organization_id: of.organization_id,
                    module_id: of.id,
                    created_at: now,
                    version: version.to_string(),
                    git_tag: tag.clone(),
                    commit_id: commit.clone(),
                };
                store::row::create(tx, row).await?;
            }
        }
    }
    for row in known.into_values() {
        store::row::delete::<module_version::Model>(tx, row.id).await?;
    }
    Ok(())
}

/// Reads the tags of the modules that are due. One that fails does not keep the others.
///
/// # Errors
/// Database errors.
pub async fn refresh_due(app: &App) -> Result<()> {
    for id in store::private_registry::due_modules(&app.db, app.clock.now(), IN_A_PASS).await? {
        if !take(app, id).await? {
            continue;
        }
        match refresh(app, id).await {
            Ok(Ok(())) | Err(Error::NotFound(_)) => {}
            Ok(Err(reason)) => tracing::info!(module = %id, reason, "the tags of a module could not be read"),
            Err(error) => tracing::warn!(module = %id, ?error, "the tags of a module could not be read"),
        }
    }
    Ok(())
}

/// Takes a module that is due, so that no other server reads it at the same time.
async fn take(app: &App, id: TerraformModuleId) -> Result<bool> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        let row = store::private_registry::lock_module(tx, id).await?.filter(|row| row.refresh_due_at <= now);
        let Some(row) = row else { return Ok(false) };
        store::row::update(tx, terraform_module::Model { refresh_due_at: again(app, now), ..row }).await?;
        Ok::<_, Error>(true)
    })
    .await
}
