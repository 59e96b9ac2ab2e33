//! Groups of annotations and of labels: one body, and a family of handlers for each kind.

use std::sync::Arc;

use entity::id::{GroupId, OrganizationId};
use entity::job_spec::JobType;
use entity::metadata_group::{Entries, Entry, GroupKind, Model, Scopes};
use poem_openapi::param::Path;
use poem_openapi::{Enum, Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use super::wire::{Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job_usage::{LocatedJob, SharedResource};

/// The most entries of a group.
const MOST: usize = 100;
const TAKEN: &str = "a group of this organization already has this name";
const IN_USE: &str = "jobs have this group; take it from them first";

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct Annotation {
    key: String,
    value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, Object)]
pub(super) struct Label {
    key: String,
    value: String,
    #[serde(default)]
    #[oai(default)]
    propagate_to_cloud_provider: bool,
}

/// What annotations are set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrganizationAnnotationsGroupScopeEnum {
    Deployments,
    StatefulSets,
    Services,
    Ingress,
    GatewayApiRoutes,
    Hpa,
    Pods,
    Secrets,
    Jobs,
    CronJobs,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationAnnotationsGroupCreateRequest {
    name: String,
    annotations: Vec<Annotation>,
    scopes: Vec<OrganizationAnnotationsGroupScopeEnum>,
}

#[derive(Debug, Deserialize, Object)]
struct OrganizationLabelsGroupCreateRequest {
    name: String,
    labels: Vec<Label>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationAnnotationsGroupResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    annotations: Vec<Annotation>,
    scopes: Vec<OrganizationAnnotationsGroupScopeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
pub(super) struct OrganizationLabelsGroupResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    labels: Vec<Label>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationAnnotationsGroupEnrichedResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    group: OrganizationAnnotationsGroupResponse,
    associated_items_count: i64,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationLabelsGroupEnrichedResponse {
    #[serde(flatten)]
    #[oai(flatten)]
    group: OrganizationLabelsGroupResponse,
    associated_items_count: i64,
}

#[derive(Debug, Serialize, Deserialize, Enum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[oai(rename_all = "SCREAMING_SNAKE_CASE")]
enum AssociatedItemType {
    Lifecycle,
    Cron,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct AssociatedItem {
    cluster_id: Uuid,
    project_id: Uuid,
    project_name: String,
    environment_id: Uuid,
    environment_name: String,
    item_id: Uuid,
    item_name: String,
    item_type: AssociatedItemType,
}

impl From<Model> for OrganizationAnnotationsGroupResponse {
    fn from(row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, kind: _, name, name_key: _, entries, scopes } = row;
        let annotation = |entry: Entry| Annotation { key: entry.key, value: entry.value };
        let scope = |text: String| serde_json::from_value(text.into()).ok();
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            annotations: entries.0.into_iter().map(annotation).collect(),
            scopes: scopes.0.into_iter().filter_map(scope).collect(),
        }
    }
}

impl From<Model> for OrganizationLabelsGroupResponse {
    fn from(row: Model) -> Self {
        let Model { id, organization_id: _, created_at, updated_at, kind: _, name, name_key: _, entries, scopes: _ } =
            row;
        let label = |Entry { key, value, propagate_to_cloud_provider }: Entry| Label {
            key,
            value,
            propagate_to_cloud_provider,
        };
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            name,
            labels: entries.0.into_iter().map(label).collect(),
        }
    }
}

/// What a group is given, of either kind.
struct Given {
    name: String,
    entries: Vec<Entry>,
    scopes: Vec<String>,
}

impl From<OrganizationAnnotationsGroupCreateRequest> for Given {
    fn from(given: OrganizationAnnotationsGroupCreateRequest) -> Self {
        let OrganizationAnnotationsGroupCreateRequest { name, annotations, scopes } = given;
        let entry = |Annotation { key, value }| Entry { key, value, propagate_to_cloud_provider: false };
        let text = |scope| serde_json::to_value(scope).ok().and_then(|value| value.as_str().map(str::to_owned));
        Self {
            name,
            entries: annotations.into_iter().map(entry).collect(),
            scopes: scopes.into_iter().filter_map(text).collect(),
        }
    }
}

impl From<OrganizationLabelsGroupCreateRequest> for Given {
    fn from(given: OrganizationLabelsGroupCreateRequest) -> Self {
        let OrganizationLabelsGroupCreateRequest { name, labels } = given;
        let entry =
            |Label { key, value, propagate_to_cloud_provider }| Entry { key, value, propagate_to_cloud_provider };
        Self { name, entries: labels.into_iter().map(entry).collect(), scopes: Vec::new() }
    }
}

/// Which kind of group a family is of.
struct Family {
    kind: GroupKind,
    /// The key of the entries in a request.
    field: &'static str,
    part: &'static str,
}

const ANNOTATIONS: Family = Family { kind: GroupKind::Annotations, field: "annotations", part: "ANNOTATIONS_GROUP" };
const LABELS: Family = Family { kind: GroupKind::Labels, field: "labels", part: "LABELS_GROUP" };

impl Family {
    /// Checks a request and writes it into a row.
    fn apply(&self, given: Given, row: &mut Model) -> Result<()> {
        let Given { name, entries, scopes } = given;
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

    async fn list(&self, app: &App, auth: &Auth, id: OrganizationId) -> Result<Vec<(Model, i64)>> {
        access::organization(&app.db, &auth.0, Action::ViewSettings, id).await?;
        let counts = store::group::count_jobs(&app.db, id).await?;
        let rows = store::group::list(&app.db, id, self.kind).await?;
        let count = |row: Model| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            (row, count)
        };
        Ok(rows.into_iter().map(count).collect())
    }

    async fn load(&self, app: &App, auth: &Auth, action: Action, ids: (Uuid, Uuid)) -> Result<Model> {
        let (organization, id) = (OrganizationId(ids.0), GroupId(ids.1));
        access::group(&app.db, &auth.0, action, organization, self.kind, id).await
    }

    async fn create<T: From<Model> + Serialize>(
        &self,
        app: &App,
        auth: &Auth,
        id: OrganizationId,
        given: Given,
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

    async fn edit<T: From<Model> + Serialize>(
        &self,
        app: &App,
        auth: &Auth,
        mut row: Model,
        given: Given,
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

    async fn delete(&self, app: &App, auth: &Auth, row: Model) -> Result<Gone> {
        audit::write(app, auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await.map_err(|e| Error::or_in_use(e, IN_USE))?;
            Ok(((), self.change("DELETE", &row)))
        })
        .await?;
        Ok(Blank)
    }

    async fn items(&self, app: &App, auth: &Auth, row: &Model) -> Result<Found<Results<AssociatedItem>>> {
        let jobs = store::job_usage::jobs_using(&app.db, SharedResource::Group(row.id)).await?;
        let seen = |(_, environment, _): &LocatedJob| {
            auth.0.may(environment.organization_id, Action::View, &access::place(environment))
        };
        let answer = |(job, environment, project): LocatedJob| AssociatedItem {
            cluster_id: environment.cluster_id.0,
            project_id: project.id.0,
            project_name: project.name,
            environment_id: environment.id.0,
            environment_name: environment.name,
            item_id: job.id.0,
            item_name: job.name,
            item_type: match job.job_type {
                JobType::Lifecycle => AssociatedItemType::Lifecycle,
                JobType::Cron => AssociatedItemType::Cron,
            },
        };
        Ok(Answer(Results { results: jobs.into_iter().filter(seen).map(answer).collect() }))
    }
}

/// The handlers of both families.
macro_rules! family {
    (
        $(#[$doc:meta])*
        $api:ident, $family:expr, tag: $tag:ident, id: $id:literal, request: $request:ty, answer: $answer:ty,
        enriched: $enriched:ident,
        all: $all:literal $list:literal $create:literal, one: $one:literal $get:literal $edit:literal $delete:literal,
        items: $items_path:literal $items:literal
    ) => {
        $(#[$doc])*
        pub(super) struct $api(pub(super) Arc<App>);

        #[OpenApi]
        impl $api {
            #[oai(path = $all, method = "get", operation_id = $list, tag = Tag::$tag)]
            async fn list(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
            ) -> Result<Found<Results<$enriched>>> {
                let rows = $family.list(&self.0, &auth, OrganizationId(organization.0)).await?;
                let answer = |(row, count)| $enriched { group: <$answer>::from(row), associated_items_count: count };
                Ok(Answer(Results { results: rows.into_iter().map(answer).collect() }))
            }

            #[oai(path = $all, method = "post", operation_id = $create, tag = Tag::$tag)]
            async fn create(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                body: Body<$request>,
            ) -> Result<Created<$answer>> {
                let id = OrganizationId(organization.0);
                Ok(Answer($family.create(&self.0, &auth, id, body.0.into()).await?))
            }

            #[oai(path = $one, method = "get", operation_id = $get, tag = Tag::$tag)]
            async fn get(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<Found<$answer>> {
                let row = $family.load(&self.0, &auth, Action::ViewSettings, (organization.0, id.0)).await?;
                Ok(Answer(row.into()))
            }

            #[oai(path = $one, method = "put", operation_id = $edit, tag = Tag::$tag)]
            async fn edit(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
                body: Body<$request>,
            ) -> Result<Found<$answer>> {
                let row = $family.load(&self.0, &auth, Action::ManageSettings, (organization.0, id.0)).await?;
                Ok(Answer($family.edit(&self.0, &auth, row, body.0.into()).await?))
            }

            #[oai(path = $one, method = "delete", operation_id = $delete, tag = Tag::$tag)]
            async fn delete(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<Gone> {
                let row = $family.load(&self.0, &auth, Action::ManageSettings, (organization.0, id.0)).await?;
                $family.delete(&self.0, &auth, row).await
            }

            #[oai(path = $items_path, method = "get", operation_id = $items, tag = Tag::$tag)]
            async fn items(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<Found<Results<AssociatedItem>>> {
                let row = $family.load(&self.0, &auth, Action::ViewSettings, (organization.0, id.0)).await?;
                $family.items(&self.0, &auth, &row).await
            }
        }
    };
}

family! {
    /// Groups of annotations.
    AnnotationsGroupApi, ANNOTATIONS, tag: OrganizationAnnotationsGroup, id: "annotationsGroupId",
    request: OrganizationAnnotationsGroupCreateRequest, answer: OrganizationAnnotationsGroupResponse,
    enriched: OrganizationAnnotationsGroupEnrichedResponse,
    all: "/organization/:organizationId/annotationsGroups" "listOrganizationAnnotationsGroup" "createOrganizationAnnotationsGroup",
    one: "/organization/:organizationId/annotationsGroups/:annotationsGroupId" "getOrganizationAnnotationsGroup" "editOrganizationAnnotationsGroup" "deleteOrganizationAnnotationsGroup",
    items: "/organization/:organizationId/annotationsGroups/:annotationsGroupId/associatedItems" "getOrganizationAnnotationsGroupAssociatedItems"
}

family! {
    /// Groups of labels.
    LabelsGroupApi, LABELS, tag: OrganizationLabelsGroup, id: "labelsGroupId",
    request: OrganizationLabelsGroupCreateRequest, answer: OrganizationLabelsGroupResponse,
    enriched: OrganizationLabelsGroupEnrichedResponse,
    all: "/organization/:organizationId/labelsGroups" "listOrganizationLabelsGroup" "createOrganizationLabelsGroup",
    one: "/organization/:organizationId/labelsGroups/:labelsGroupId" "getOrganizationLabelssGroup" "editOrganizationLabelsGroup" "deleteOrganizationLabelsGroup",
    items: "/organization/:organizationId/labelsGroups/:labelsGroupId/associatedItems" "getOrganizationLabelsGroupAssociatedItems"
}
