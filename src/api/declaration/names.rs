//! The things of an organization that declarations refer to by their names.

use entity::id::{GitTokenId, GroupId, OrganizationId, RegistryId};
use entity::metadata_group::GroupKind;
use entity::{git_token, metadata_group, registry};
use sea_orm::ConnectionTrait;

use crate::error::{Error, Result};
use crate::store;

/// Registries, git tokens and groups of labels and annotations.
pub(super) struct Names {
    registries: Vec<registry::Model>,
    tokens: Vec<git_token::Model>,
    groups: Vec<metadata_group::Model>,
}

impl Names {
    pub(super) async fn load(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Self> {
        let mut groups = store::group::list(db, organization, GroupKind::Annotations).await?;
        groups.extend(store::group::list(db, organization, GroupKind::Labels).await?);
        let registries = store::registry::list_by_organization(db, organization).await?;
        Ok(Self { registries, tokens: store::git_token::list(db, organization).await?, groups })
    }

    /// The registry of this name, or the only one.
    pub(super) fn registry(&self, field: &str, name: Option<&str>) -> Result<RegistryId> {
        let fits: Vec<&registry::Model> =
            self.registries.iter().filter(|row| name.is_none_or(|name| row.name == name)).collect();
        match (fits.as_slice(), name) {
            ([one], _) => Ok(one.id),
            (_, Some(name)) => Err(Error::invalid(field, unknown(name, "container registry", self.registry_names()))),
            (_, None) => {
                let text =
                    format!("is missing; the organization has these container registries: {}", self.registry_names());
                Err(Error::invalid(field, text))
            }
        }
    }

    fn registry_names(&self) -> String {
        joined(self.registries.iter().map(|row| row.name.as_str()))
    }

    /// The name of a registry; none if it is the only one.
    pub(super) fn of_registry(&self, id: RegistryId) -> Option<String> {
        if self.registries.len() == 1 {
            return None;
        }
        self.registries.iter().find(|row| row.id == id).map(|row| row.name.clone())
    }

    pub(super) fn token(&self, field: &str, name: &str) -> Result<GitTokenId> {
        let found = self.tokens.iter().find(|row| row.name == name);
        let names = || joined(self.tokens.iter().map(|row| row.name.as_str()));
        found.map(|row| row.id).ok_or_else(|| Error::invalid(field, unknown(name, "git token", names())))
    }

    pub(super) fn of_token(&self, id: GitTokenId) -> Option<String> {
        self.tokens.iter().find(|row| row.id == id).map(|row| row.name.clone())
    }

    pub(super) fn groups(&self, field: &str, kind: GroupKind, names: &[String]) -> Result<Vec<GroupId>> {
        let mut ids = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let mut known = self.groups.iter().filter(|row| row.kind == kind);
            let all = || joined(self.groups.iter().filter(|row| row.kind == kind).map(|row| row.name.as_str()));
            let found = known.find(|row| row.name == *name);
            let row =
                found.ok_or_else(|| Error::invalid(format!("{field}[{place}]"), unknown(name, "group", all())))?;
            if !ids.contains(&row.id) {
                ids.push(row.id);
            }
        }
        Ok(ids)
    }

    pub(super) fn of_groups(&self, ids: &[GroupId]) -> Option<Vec<String>> {
        let name = |id: &GroupId| self.groups.iter().find(|row| row.id == *id).map(|row| row.name.clone());
        Some(ids.iter().filter_map(name).collect::<Vec<_>>()).filter(|names| !names.is_empty())
    }
}

fn unknown(name: &str, thing: &str, names: String) -> String {
    let names = if names.is_empty() { "none".to_owned() } else { names };
    format!("{name} is no {thing} of the organization; there are: {names}")
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
