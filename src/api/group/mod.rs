//! Annotation groups and label groups. Both kinds have the same handlers.

mod associated_item;
mod crud;
mod entry;
mod metadata_key;
mod request;
mod response;

use std::sync::Arc;

use entity::id::OrganizationId;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::associated_item::AssociatedItem;
use self::crud::{ANNOTATIONS, LABELS};
use self::request::{OrganizationAnnotationsGroupCreateRequest, OrganizationLabelsGroupCreateRequest};
use self::response::{OrganizationAnnotationsGroupEnrichedResponse, OrganizationLabelsGroupEnrichedResponse};
pub(super) use self::response::{OrganizationAnnotationsGroupResponse, OrganizationLabelsGroupResponse};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, Json, NoContent, Results, Success};
use crate::access::Action;
use crate::app::App;
use crate::error::Result;

/// Defines the handlers of one kind of group.
macro_rules! family {
    (
        $(#[$doc:meta])*
        $api:ident, $family:expr, tag: $tag:ident, id: $id:literal, request: $request:ty, response: $response:ty,
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
            ) -> Result<Success<Results<$enriched>>> {
                let rows = $family.list(&self.0, &auth, OrganizationId(organization.0)).await?;
                let response = |(row, count)| $enriched { group: <$response>::from(row), associated_items_count: count };
                Ok(Json(Results { results: rows.into_iter().map(response).collect() }))
            }

            #[oai(path = $all, method = "post", operation_id = $create, tag = Tag::$tag)]
            async fn create(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                body: Body<$request>,
            ) -> Result<Created<$response>> {
                let id = OrganizationId(organization.0);
                Ok(Json($family.create(&self.0, &auth, id, body.0.into()).await?))
            }

            #[oai(path = $one, method = "get", operation_id = $get, tag = Tag::$tag)]
            async fn get(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<Success<$response>> {
                let row = $family.load(&self.0, &auth, Action::ViewSettings, (organization.0, id.0)).await?;
                Ok(Json(row.into()))
            }

            #[oai(path = $one, method = "put", operation_id = $edit, tag = Tag::$tag)]
            async fn edit(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
                body: Body<$request>,
            ) -> Result<Success<$response>> {
                let row = $family.load(&self.0, &auth, Action::ManageSettings, (organization.0, id.0)).await?;
                Ok(Json($family.edit(&self.0, &auth, row, body.0.into()).await?))
            }

            #[oai(path = $one, method = "delete", operation_id = $delete, tag = Tag::$tag)]
            async fn delete(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<NoContent> {
                let row = $family.load(&self.0, &auth, Action::ManageSettings, (organization.0, id.0)).await?;
                $family.delete(&self.0, &auth, row).await
            }

            #[oai(path = $items_path, method = "get", operation_id = $items, tag = Tag::$tag)]
            async fn items(
                &self,
                auth: Auth,
                #[oai(name = "organizationId")] organization: Path<Uuid>,
                #[oai(name = $id)] id: Path<Uuid>,
            ) -> Result<Success<Results<AssociatedItem>>> {
                let row = $family.load(&self.0, &auth, Action::ViewSettings, (organization.0, id.0)).await?;
                $family.items(&self.0, &auth, &row).await
            }
        }
    };
}

family! {
    /// Annotation groups.
    AnnotationsGroupApi, ANNOTATIONS, tag: OrganizationAnnotationsGroup, id: "annotationsGroupId",
    request: OrganizationAnnotationsGroupCreateRequest, response: OrganizationAnnotationsGroupResponse,
    enriched: OrganizationAnnotationsGroupEnrichedResponse,
    all: "/organization/:organizationId/annotationsGroups" "listOrganizationAnnotationsGroup" "createOrganizationAnnotationsGroup",
    one: "/organization/:organizationId/annotationsGroups/:annotationsGroupId" "getOrganizationAnnotationsGroup" "editOrganizationAnnotationsGroup" "deleteOrganizationAnnotationsGroup",
    items: "/organization/:organizationId/annotationsGroups/:annotationsGroupId/associatedItems" "getOrganizationAnnotationsGroupAssociatedItems"
}

family! {
    /// Label groups.
    LabelsGroupApi, LABELS, tag: OrganizationLabelsGroup, id: "labelsGroupId",
    request: OrganizationLabelsGroupCreateRequest, response: OrganizationLabelsGroupResponse,
    enriched: OrganizationLabelsGroupEnrichedResponse,
    all: "/organization/:organizationId/labelsGroups" "listOrganizationLabelsGroup" "createOrganizationLabelsGroup",
    one: "/organization/:organizationId/labelsGroups/:labelsGroupId" "getOrganizationLabelssGroup" "editOrganizationLabelsGroup" "deleteOrganizationLabelsGroup",
    items: "/organization/:organizationId/labelsGroups/:labelsGroupId/associatedItems" "getOrganizationLabelsGroupAssociatedItems"
}
