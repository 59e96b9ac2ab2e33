//! The operations on groups of either kind.

use entity::id::{GroupId, OrganizationId};
use entity::metadata_group::{Entries, GroupKind, Model, Scopes};
use serde::Serialize;
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::wire::{EmptyResponse, Json, NoContent, Results, Success};
use super::associated_item::AssociatedItem;
use super::metadata_key::{refused_annotation_key, refused_label_key, refused_label_value};
use super::request::GroupRequest;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job_usage::SharedResource;

/// The maximum number of entries in a group.
const MAX_ENTRIES: usize = 100;
/// The maximum size of all keys and values of a group. Kubernetes takes no more for all annotations of an object.
const MAX_BYTES: usize = 256 * 1024;

const TAKEN: &str = "this organization already has a group with this name";

const IN_USE: &str = "jobs use this group; remove it from them first";

/// A kind of group, with the names that its operations use.
pub(super) struct GroupFamily {
    kind: GroupKind,
    /// The request field with the entries.
    field: &'static str,
    part: &'static str,
}

pub(super) const ANNOTATIONS: GroupFamily =
    GroupFamily { kind: GroupKind::Annotations, field: "annotations", part: "ANNOTATIONS_GROUP" };

pub(super) const LABELS: GroupFamily = GroupFamily { kind: GroupKind::Labels, field: "labels", part: "LABELS_GROUP" };

impl GroupFamily {
    /// Validates a request and writes it to a row.
    fn apply(&self, request: GroupRequest, row: &mut Model) -> Result<()> {
        let GroupRequest { name, entries, scopes } = request;
        let mut faults = Faults::default();
        if entries.is_empty() || entries.len() > MAX_ENTRIES {
            faults.refuse(self.field, format!("must have 1 to {MAX_ENTRIES} items"));
        }
        for (index, entry) in entries.iter().enumerate() {
            let mut refuse = |part: &str, text: &str| faults.refuse(format!("{}[{index}].{part}", self.field), text);
            if let Some(text) = self.refused_key(&entry.key) {
                refuse("key", text);
            }
            if let Some(text) = self.refused_value(&entry.value) {
                refuse("value", text);
            }
            if entries.iter().take(index).any(|other| other.key == entry.key) {
                refuse("key", "must be unique");
            }
        }
        let size: usize = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        if size > MAX_BYTES {
            faults.refuse(self.field, format!("must have at most {MAX_BYTES} bytes together"));
        }
        row.name = faults.note(limits::name("name", &name));
        faults.result()?;
        row.name_key = entity::name_key(&row.name);
        row.entries = Entries(entries);
        row.scopes = Scopes(scopes);
        Ok(())
    }

    fn refused_key(&self, key: &str) -> Option<&'static str> {
        match self.kind {
            GroupKind::Annotations => refused_annotation_key(key),
            GroupKind::Labels => refused_label_key(key),
        }
    }

    fn refused_value(&self, value: &str) -> Option<&'static str> {
        match self.kind {
            GroupKind::Annotations => value.contains('\0').then_some("must not contain NUL characters"),
            GroupKind::Labels => refused_label_value(value),
        }
    }

    fn change(&self, kind: &'static str, row: &Model) -> Change {
        Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part(self.part)
    }

    pub(super) async fn list(&self, app: &App, auth: &Auth, id: OrganizationId) -> Result<Vec<(Model, i64)>> {
        access::organization(&app.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::group::count_jobs(&app.db, id).await?;
        let rows = store::group::list(&app.db, id, self.kind).await?;
        let count = |row: Model| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            (row, count)
        };
        Ok(rows.into_iter().map(count).collect())
    }

    pub(super) async fn load(&self, app: &App, auth: &Auth, action: Action, ids: (Uuid, Uuid)) -> Result<Model> {
        let (organization, id) = (OrganizationId(ids.0), GroupId(ids.1));
        access::group(&app.db, &auth.0, action, organization, self.kind, id).await
    }

    pub(super) async fn create<T: From<Model> + Serialize>(
        &self,
        app: &App,
        auth: &Auth,
        id: OrganizationId,
        request: GroupRequest,
    ) -> Result<T> {
        access::organization(&app.db, &auth.0, Action::ManageSettings, id).await?;
        let now = app.clock.now();
        let mut row = Model {
            id: GroupId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            kind: self.kind,
            name: String::new(),
            name_key: String::new(),
            entries: Entries::default(),
            scopes: Scopes::default(),
        };
        self.apply(request, &mut row)?;
        audit::write(app, auth, id, async |tx| {
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let change = self.change("CREATE", &row);
            let response = T::from(row);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await
    }

    pub(super) async fn edit<T: From<Model> + Serialize>(
        &self,
        app: &App,
        auth: &Auth,
        mut row: Model,
        request: GroupRequest,
    ) -> Result<T> {
        self.apply(request, &mut row)?;
        let now = app.clock.now();
        audit::write(app, auth, row.organization_id, async |tx| {
            let Model { id, name, name_key, entries, scopes, .. } = row;
            let edit = |stored: Model| Ok(Model { updated_at: now, name, name_key, entries, scopes, ..stored });
            let changed = store::row::change(tx, id, edit, |e| Error::or_taken(e, TAKEN)).await?;
            let (before, row) = changed.ok_or(Error::NotFound("group"))?;
            let change = self.change("UPDATE", &row).before(&T::from(before));
            let response = T::from(row);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await
    }

    pub(super) async fn delete(&self, app: &App, auth: &Auth, row: Model) -> Result<NoContent> {
        audit::write(app, auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), self.change("DELETE", &row)))
        })
        .await?;
        Ok(EmptyResponse)
    }

    pub(super) async fn items(&self, app: &App, auth: &Auth, row: &Model) -> Result<Success<Results<AssociatedItem>>> {
        let jobs = store::job_usage::jobs_using(&app.db, SharedResource::Group(row.id)).await?;
        Ok(Json(Results { results: AssociatedItem::list(&auth.0, jobs) }))
    }
}
