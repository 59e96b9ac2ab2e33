//! What the operations on both kinds of groups do.

use entity::id::{GroupId, OrganizationId};
use entity::metadata_group::{Entries, GroupKind, Model, Scopes};
use serde::Serialize;
use uuid::Uuid;

use super::super::audit::{self, Change};
use super::super::caller::Auth;
use super::super::limits;
use super::super::wire::{Answer, Blank, Found, Gone, Results};
use super::associated_item::AssociatedItem;
use super::request::GroupRequest;
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job_usage::Using;

/// The most entries of a group.
const MOST: usize = 100;

const TAKEN: &str = "a group of this organization already has this name";

const IN_USE: &str = "jobs have this group; take it from them first";

/// Which kind of group a family is of.
pub(super) struct GroupFamily {
    kind: GroupKind,
    /// The key of the entries in a request.
    field: &'static str,
    part: &'static str,
}

pub(super) const ANNOTATIONS: GroupFamily =
    GroupFamily { kind: GroupKind::Annotations, field: "annotations", part: "ANNOTATIONS_GROUP" };

pub(super) const LABELS: GroupFamily = GroupFamily { kind: GroupKind::Labels, field: "labels", part: "LABELS_GROUP" };

impl GroupFamily {
    /// Checks a request and writes it into a row.
    fn apply(&self, given: GroupRequest, row: &mut Model) -> Result<()> {
        let GroupRequest { name, entries, scopes } = given;
        if entries.is_empty() || entries.len() > MOST {
            return Err(Error::invalid(self.field, format!("has not between 1 and {MOST} items")));
        }
        for (place, entry) in entries.iter().enumerate() {
            for (key, text) in [("key", &entry.key), ("value", &entry.value)] {
                let field = format!("{}[{place}].{key}", self.field);
                if key == "key" {
                    limits::name(&field, text)?;
                } else if text.chars().count() > 4096 || text.chars().any(|c| c == '\0') {
                    return Err(Error::invalid(field, "has more than 4096 characters, or a NUL character"));
                }
            }
            if entries.iter().take(place).any(|other| other.key == entry.key) {
                return Err(Error::invalid(format!("{}[{place}].key", self.field), "is there twice"));
            }
        }
        row.name = limits::name("name", &name)?;
        row.name_key = entity::name_key(&row.name);
        row.entries = Entries(entries);
        row.scopes = Scopes(scopes);
        Ok(())
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
        given: GroupRequest,
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
        self.apply(given, &mut row)?;
        audit::write(app, auth, id, async |tx| {
            let row = store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let change = self.change("CREATE", &row);
            let answer = T::from(row);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await
    }

    pub(super) async fn edit<T: From<Model> + Serialize>(
        &self,
        app: &App,
        auth: &Auth,
        mut row: Model,
        given: GroupRequest,
    ) -> Result<T> {
        let before = T::from(row.clone());
        self.apply(given, &mut row)?;
        row.updated_at = app.clock.now();
        audit::write(app, auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
            let change = self.change("UPDATE", &row).before(&before);
            let answer = T::from(row);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await
    }

    pub(super) async fn delete(&self, app: &App, auth: &Auth, row: Model) -> Result<Gone> {
        audit::write(app, auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), self.change("DELETE", &row)))
        })
        .await?;
        Ok(Blank)
    }

    pub(super) async fn items(&self, app: &App, auth: &Auth, row: &Model) -> Result<Found<Results<AssociatedItem>>> {
        let jobs = store::job_usage::jobs_using(&app.db, Using::Group(row.id)).await?;
        Ok(Answer(Results { results: AssociatedItem::list(&auth.0, jobs) }))
    }
}
