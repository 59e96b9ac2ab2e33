//! Creates the first organization, with its API token, the cluster `local` and a rule for failed runs.

use entity::member::Role;
use entity::{api_token, organization};

use super::api_token::new_api_token;
use super::default_templates::add_default_templates;
use super::first_alert_rule::first_alert_rule;
use super::first_person::first_person;
use super::local_cluster::local_cluster;
use crate::app::App;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::store;

/// The first organization and its token.
#[derive(Debug)]
pub struct FirstOrganization {
    pub organization: organization::Model,
    /// Printed once.
    pub token: Secret<String>,
}

/// Creates the first organization with a token; `None` if there already is an organization.
///
/// # Errors
/// A database error.
pub async fn create_first_organization(app: &App) -> Result<Option<FirstOrganization>> {
    let now = app.clock.now();
    let (name, rows) = (
        "windlass",
        organization::Model { plan: app.config.organization_plan.clone(), ..organization::Model::new("windlass", now) },
    );
    let local = local_cluster(rows.id, now);
    let (token_row, token) = new_api_token(rows.id, "first", Role::Admin, now)?;
    let token_row = api_token::Model { expires_at: app.config.token_end(now), ..token_row };
    store::write(&app.db, async |tx| {
        store::lock_installation(tx).await?;
        if !store::organization::list(tx).await?.is_empty() {
            return Ok::<_, Error>(None);
        }
        tracing::info!(name, "creating the first organization");
        let organization = store::organization::create(tx, rows).await?;
        let cluster = store::cluster::create(tx, local).await?;
        store::row::create(tx, first_alert_rule(organization.id, cluster.id, now)).await?;
        let person = first_person(tx, organization.id, now).await?;
        store::token::create(tx, api_token::Model { person_id: Some(person), ..token_row }).await?;
        add_default_templates(tx, organization.id, now).await?;
        Ok(Some(FirstOrganization { organization, token }))
    })
    .await
}
