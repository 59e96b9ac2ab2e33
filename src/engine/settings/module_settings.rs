//! Modules of the private registry, as somebody wants them.

use entity::id::{OrganizationId, SshKeyId, TerraformModuleId, VcsId};
use entity::terraform_module::Model;

use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::private_registry::{
    check_module_name, check_source, check_subfolder, check_system, check_tag_prefix,
};
use crate::engine::workspace_definition::DESCRIPTION;
use crate::error::{Error, Result};
use crate::secret::has_secret;
use crate::store;

/// A module as somebody wants it. The names of its fields are those of the API.
pub struct WantedModule {
    pub name: String,
    pub provider: String,
    pub description: Option<String>,
    pub source: String,
    pub folder: Option<String>,
    pub tag_prefix: Option<String>,
    pub vcs: Option<VcsId>,
    pub ssh: Option<SshKeyId>,
}

impl WantedModule {
    async fn check(&self, app: &App, organization: OrganizationId) -> Result<()> {
        let mut faults = Faults::default();
        let mut check = |field: &str, checked: Result<(), &'static str>| {
            if let Err(allowed) = checked {
                faults.refuse(field, allowed);
            }
        };
        check("name", check_module_name(&self.name));
        check("provider", check_system(&self.provider));
        check("source", check_source(&self.source));
        check("folder", check_subfolder(self.folder.as_deref().unwrap_or_default()));
        check("tagPrefix", check_tag_prefix(self.tag_prefix.as_deref().unwrap_or_default()));
        if self.description.as_deref().is_some_and(|text| text.chars().count() > DESCRIPTION) {
            faults.refuse("description", format!("must have at most {DESCRIPTION} characters"));
        }
        if has_secret(&self.source) {
            faults.refuse("source", "must not contain a password or a token: they belong into a login or an SSH key");
        }
        if let Some(id) = self.vcs {
            let row = store::workspace::vcs(&app.db, id).await?;
            if row.is_none_or(|row| row.organization_id != organization) {
                faults.refuse("vcs", "must be a VCS connection of the organization");
            }
        }
        if let Some(id) = self.ssh {
            let row = store::workspace::ssh_key(&app.db, id).await?;
            if row.is_none_or(|row| row.organization_id != organization) {
                faults.refuse("ssh", "must be an SSH key of the organization");
            }
        }
        faults.result()
    }
}

/// Stores a module: a new one, or `old` with other values. Its tags are read soon after.
///
/// # Errors
/// `Invalid` with all faults; `Conflict` if the name is taken; database errors.
pub async fn save_module(
    app: &App,
    by: &str,
    organization: OrganizationId,
    old: Option<Model>,
    wanted: WantedModule,
) -> Result<()> {
    wanted.check(app, organization).await?;
    let WantedModule { name, provider, description, source, folder, tag_prefix, vcs, ssh } = wanted;
    let (now, old) = (app.clock.now(), old.map(|old| old.id));
    let taken = format!("the organization already has a module {name}/{provider}");
    store::write(&app.db, async |tx| {
        // Its tags may be read at the same time.
        let old = match old {
            Some(id) => Some(store::private_registry::lock_module(tx, id).await?.ok_or(Error::NotFound("module"))?),
            None => None,
        };
        let is_new = old.is_none();
        let row = Model {
            id: old.as_ref().map_or_else(TerraformModuleId::create, |old| old.id),
            organization_id: organization,
            created_at: old.as_ref().map_or(now, |old| old.created_at),
            updated_at: now,
            created_by: old.as_ref().map_or_else(|| by.to_owned(), |old| old.created_by.clone()),
            updated_by: by.to_owned(),
            name,
            description,
            provider,
            source,
            folder,
            tag_prefix,
            vcs_id: vcs,
            ssh_key_id: ssh,
            latest_version: old.as_ref().and_then(|old| old.latest_version.clone()),
            refreshed_at: old.as_ref().and_then(|old| old.refreshed_at),
            refresh_error: old.and_then(|old| old.refresh_error),
            refresh_due_at: now,
        };
        let saved = if is_new { store::row::create(tx, row).await } else { store::row::update(tx, row).await };
        saved.map(drop).map_err(|error| Error::or_taken(error, taken))
    })
    .await
}

/// Deletes a module with its versions.
///
/// # Errors
/// Database errors.
pub async fn delete_module(app: &App, row: Model) -> Result<()> {
    store::write(&app.db, async |tx| store::row::delete::<Model>(tx, row.id).await.map(drop).map_err(Error::from)).await
}
