//! Webhooks of an organization, and their recent deliveries.

mod delivery;
mod event_name;
mod request;
mod response;

use std::sync::Arc;

use entity::id::{OrganizationId, WebhookId};
use entity::webhook::Model;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use self::delivery::WebhookDeliveryResponse;
use self::request::OrganizationWebhookCreateRequest;
use self::response::{OrganizationWebhookResponse, WebhookEventResponse};
use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::settings::webhook_settings;
use crate::error::Result;
use crate::store;

/// The maximum number of listed deliveries of a webhook.
const DELIVERIES: u64 = 100;

pub(super) struct WebhookApi(pub(super) Arc<App>);

#[OpenApi]
impl WebhookApi {
    #[oai(path = "/organization/:organizationId/webhook", method = "get", operation_id = "listOrganizationWebHooks", tag = Tag::OrganizationWebhook)]
    async fn list_organization_web_hooks(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<OrganizationWebhookResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::webhook::list(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.into_iter().map(OrganizationWebhookResponse::from).collect() }))
    }

    #[oai(path = "/organization/:organizationId/webhook", method = "post", operation_id = "createOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn create_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: Body<OrganizationWebhookCreateRequest>,
    ) -> Result<Created<OrganizationWebhookResponse>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        Ok(Json(webhook_settings::create(&self.0, &auth.requester(), id, body.0.into()).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "get", operation_id = "getOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn get_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Success<OrganizationWebhookResponse>> {
        Ok(Json(self.load(&auth, Action::ViewSettings, organization_id.0, webhook_id.0).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "put", operation_id = "editOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn edit_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
        body: Body<OrganizationWebhookCreateRequest>,
    ) -> Result<Success<OrganizationWebhookResponse>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        Ok(Json(webhook_settings::edit(&self.0, &auth.requester(), row, body.0.into()).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "delete", operation_id = "deleteOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn delete_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        webhook_settings::delete(&self.0, &auth.requester(), row).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId/event", method = "get", operation_id = "listWebhookEvent", tag = Tag::OrganizationWebhook)]
    async fn list_webhook_event(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Success<Results<WebhookEventResponse>>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        let rows = store::webhook::list_official_deliveries(&self.0.db, row.id, DELIVERIES).await?;
        Ok(Json(Results { results: rows.into_iter().map(WebhookEventResponse::from).collect() }))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId/delivery", method = "get", operation_id = "listWebhookDelivery", tag = Tag::OrganizationWebhook)]
    async fn list_webhook_delivery(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Success<Results<WebhookDeliveryResponse>>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        let rows = store::webhook::list_deliveries(&self.0.db, row.id, DELIVERIES).await?;
        Ok(Json(Results { results: rows.into_iter().map(WebhookDeliveryResponse::from).collect() }))
    }
}

impl WebhookApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::webhook(&self.0.db, &auth.0, action, OrganizationId(organization), WebhookId(id)).await
    }
}
