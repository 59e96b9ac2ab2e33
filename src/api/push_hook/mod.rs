//! The push hooks of an organization, and what was delivered to them. A Windlass extension.

mod push_hook_body;
pub(super) mod receive_push;

use std::sync::Arc;

use entity::id::{OrganizationId, PushHookId};
use entity::push_hook::Model;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::push_hook_body::{PushHook, PushHookDelivery, PushHookRequest, PushHookWithSecret};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::settings::push_hook_settings;
use crate::error::Result;
use crate::store;

/// The maximum number of listed deliveries of a push hook.
const DELIVERIES: u64 = 100;

pub(super) struct PushHookApi(pub(super) Arc<App>);

#[OpenApi]
impl PushHookApi {
    #[oai(path = "/organization/:organizationId/pushHook", method = "get", operation_id = "listPushHooks", tag = Tag::OrganizationWebhook)]
    async fn list_push_hooks(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<PushHook>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::push::list_hooks(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.into_iter().map(|row| PushHook::new(&self.0, row)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/pushHook", method = "post", operation_id = "createPushHook", tag = Tag::OrganizationWebhook)]
    async fn create_push_hook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: StrictBody<PushHookRequest>,
    ) -> Result<Created<PushHookWithSecret>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let (row, secret) = push_hook_settings::create(&self.0, &auth.requester(), id, &body.0.name).await?;
        Ok(Json(PushHookWithSecret::new(&self.0, row, &secret)))
    }

    #[oai(path = "/organization/:organizationId/pushHook/:pushHookId", method = "delete", operation_id = "deletePushHook", tag = Tag::OrganizationWebhook)]
    async fn delete_push_hook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "pushHookId")] push_hook_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, push_hook_id.0).await?;
        push_hook_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/pushHook/:pushHookId/rotateSecret", method = "post", operation_id = "rotatePushHookSecret", tag = Tag::OrganizationWebhook)]
    async fn rotate_push_hook_secret(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "pushHookId")] push_hook_id: Path<Uuid>,
    ) -> Result<Success<PushHookWithSecret>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, push_hook_id.0).await?;
        let (row, secret) = push_hook_settings::replace_secret(&self.0, &auth.requester(), row).await?;
        Ok(Json(PushHookWithSecret::new(&self.0, row, &secret)))
    }

    #[oai(path = "/organization/:organizationId/pushHook/:pushHookId/delivery", method = "get", operation_id = "listPushHookDeliveries", tag = Tag::OrganizationWebhook)]
    async fn list_push_hook_deliveries(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "pushHookId")] push_hook_id: Path<Uuid>,
    ) -> Result<Success<Results<PushHookDelivery>>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, push_hook_id.0).await?;
        let rows = store::push::list_hook_deliveries(&self.0.db, row.id, DELIVERIES).await?;
        Ok(Json(Results { results: rows.into_iter().map(PushHookDelivery::from).collect() }))
    }
}

impl PushHookApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::push_hook(&self.0.db, &auth.0, action, OrganizationId(organization), PushHookId(id)).await
    }
}
