//! The default templates of organizations.

use chrono::{DateTime, Utc};
use entity::id::OrganizationId;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::app::App;
use crate::engine::template;
use crate::error::Result;
use crate::store;

/// Adds the default templates to an organization, unless it already has templates or workspaces.
///
/// # Errors
/// A database error.
pub async fn add_default_templates(
    tx: &DatabaseTransaction,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if store::workspace::has_content(tx, organization).await? {
        return Ok(());
    }
    for one in template::DEFAULTS {
        let row = entity::template::Model {
            id: entity::id::TemplateId::create(),
            organization_id: organization,
            created_at: now,
            updated_at: now,
            created_by: "windlass".into(),
            updated_by: "windlass".into(),
            name: one.name.into(),
            description: Some(one.description.into()),
            version: Some("1.0.0".into()),
            tcl: one.stored(),
        };
        store::row::create(tx, row).await?;
    }
    Ok(())
}

/// Adds the default templates to all organizations that were created before default templates were introduced.
///
/// # Errors
/// A database error.
pub async fn add_missing_templates(app: &App) -> Result<()> {
    let now = app.clock.now();
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        for organization in store::organization::list(tx).await? {
            add_default_templates(tx, organization.id, now).await?;
        }
        Ok(())
    })
    .await
}
