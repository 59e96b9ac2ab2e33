//! /organization/{organizationId}/webhook: calls to other systems, and the list of those that were made.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::id::{OrganizationId, WebhookId};
use entity::webhook::{Events, Model, Modes, ProjectNames, WebhookEvent, WebhookKind};
use entity::webhook_delivery;
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Tag;
use super::audit::{self, Change};
use super::caller::Auth;
use super::environment::EnvironmentModeEnum;
use super::limits;
use super::wire::{self, Answer, Blank, Body, Created, Found, Gone, Results, Timestamp};
use crate::access::{self, Action};
use crate::app::App;
use crate::error::{Error, Result};
use crate::outbound::{self, sign};
use crate::secret;
use crate::store;

const TARGET: &str = "WEBHOOK";
/// The most webhooks of an organization.
const MOST: usize = 50;
/// How many calls the list of a webhook has.
const DELIVERIES: u64 = 100;

wire::mirrored!(OrganizationWebhookKindEnum of WebhookKind { Standard, Slack });
wire::mirrored!(
    #[expect(clippy::enum_variant_names, reason = "these are the official names")]
    OrganizationWebhookEventEnum of WebhookEvent {
    DeploymentStarted,
    DeploymentCancelled,
    DeploymentFailure,
    DeploymentSuccessful,
});

/// Without Debug: it holds the secret.
#[derive(Deserialize, Object)]
struct OrganizationWebhookCreateRequest {
    kind: OrganizationWebhookKindEnum,
    target_url: String,
    #[serde(default)]
    #[oai(default)]
    target_secret: Option<String>,
    #[serde(default)]
    #[oai(default)]
    description: Option<String>,
    #[serde(default)]
    #[oai(default)]
    enabled: Option<bool>,
    events: Vec<OrganizationWebhookEventEnum>,
    #[serde(default)]
    #[oai(default)]
    project_names_filter: Option<Vec<String>>,
    #[serde(default)]
    #[oai(default)]
    environment_types_filter: Option<Vec<EnvironmentModeEnum>>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct OrganizationWebhookResponse {
    id: Uuid,
    created_at: Timestamp,
    updated_at: Timestamp,
    kind: OrganizationWebhookKindEnum,
    target_url: String,
    target_secret_set: bool,
    description: String,
    enabled: bool,
    events: Vec<OrganizationWebhookEventEnum>,
    project_names_filter: Vec<String>,
    environment_types_filter: Vec<EnvironmentModeEnum>,
}

#[derive(Debug, Serialize, Deserialize, Object)]
struct WebhookEventResponse {
    id: Uuid,
    created_at: Timestamp,
    kind: OrganizationWebhookKindEnum,
    matched_event: OrganizationWebhookEventEnum,
    target_url_used: String,
    request: BTreeMap<String, Value>,
    target_response_status_code: i32,
    target_response_body: Option<String>,
}

impl From<Model> for OrganizationWebhookResponse {
    fn from(row: Model) -> Self {
        let Model {
            id,
            organization_id: _,
            created_at,
            updated_at,
            kind,
            target_url,
            secret,
            description,
            enabled,
            events,
            project_names,
            modes,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            updated_at: Timestamp(updated_at),
            kind: kind.into(),
            target_url,
            target_secret_set: secret.is_some(),
            description: description.unwrap_or_default(),
            enabled,
            events: events.0.into_iter().map(OrganizationWebhookEventEnum::from).collect(),
            project_names_filter: project_names.0,
            environment_types_filter: modes.0.into_iter().map(EnvironmentModeEnum::from).collect(),
        }
    }
}

impl From<webhook_delivery::Model> for WebhookEventResponse {
    fn from(row: webhook_delivery::Model) -> Self {
        let webhook_delivery::Model {
            id,
            webhook_id: _,
            created_at,
            updated_at: _,
            kind,
            event,
            target_url,
            payload,
            state: _,
            attempts: _,
            next_attempt_at: _,
            status_code,
            response,
        } = row;
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            kind: kind.into(),
            matched_event: event.into(),
            target_url_used: target_url,
            request: payload.as_object().cloned().unwrap_or_default().into_iter().collect(),
            // Without an answer there is no status; 0 is none of HTTP's.
            target_response_status_code: status_code.unwrap_or(0),
            target_response_body: response,
        }
    }
}

/// The handlers.
pub(super) struct WebhookApi(pub(super) Arc<App>);

#[OpenApi]
impl WebhookApi {
    #[oai(path = "/organization/:organizationId/webhook", method = "get", operation_id = "listOrganizationWebHooks", tag = Tag::OrganizationWebhook)]
    async fn list_organization_web_hooks(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Found<Results<OrganizationWebhookResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::webhook::list(&self.0.db, id).await?;
        Ok(Answer(Results { results: rows.into_iter().map(OrganizationWebhookResponse::from).collect() }))
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
        let now = self.0.clock.now();
        let row = Model {
            id: WebhookId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            kind: WebhookKind::Standard,
            target_url: String::new(),
            secret: None,
            description: None,
            enabled: true,
            events: Events::default(),
            project_names: ProjectNames::default(),
            modes: Modes::default(),
        };
        let row = self.apply(body.0, row)?;
        let answer = audit::write(&self.0, &auth, id, async |tx| {
            if store::webhook::list(tx, id).await?.len() >= MOST {
                return Err(Error::invalid("kind", format!("there are {MOST} webhooks already, which is the most")));
            }
            let row = store::row::create(tx, row).await?;
            let change = Change::create(TARGET, row.id.0, &row.target_url);
            let answer = OrganizationWebhookResponse::from(row);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "get", operation_id = "getOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn get_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Found<OrganizationWebhookResponse>> {
        Ok(Answer(self.load(&auth, Action::ViewSettings, organization_id.0, webhook_id.0).await?.into()))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "put", operation_id = "editOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn edit_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
        body: Body<OrganizationWebhookCreateRequest>,
    ) -> Result<Found<OrganizationWebhookResponse>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        let before = OrganizationWebhookResponse::from(row.clone());
        let row = Model { updated_at: self.0.clock.now(), ..self.apply(body.0, row)? };
        let answer = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await?;
            let change = Change::update(TARGET, row.id.0, &row.target_url).before(&before);
            let answer = OrganizationWebhookResponse::from(row);
            let change = change.after(&answer);
            Ok((answer, change))
        })
        .await?;
        Ok(Answer(answer))
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId", method = "delete", operation_id = "deleteOrganizationWebhook", tag = Tag::OrganizationWebhook)]
    async fn delete_organization_webhook(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Gone> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::row::delete::<Model>(tx, row.id).await?;
            let change = Change::delete(TARGET, row.id.0, &row.target_url);
            Ok(((), change.before(&OrganizationWebhookResponse::from(row))))
        })
        .await?;
        Ok(Blank)
    }

    #[oai(path = "/organization/:organizationId/webhook/:webhookId/event", method = "get", operation_id = "listWebhookEvent", tag = Tag::OrganizationWebhook)]
    async fn list_webhook_event(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        #[oai(name = "webhookId")] webhook_id: Path<Uuid>,
    ) -> Result<Found<Results<WebhookEventResponse>>> {
        let row = self.load(&auth, Action::ManageSettings, organization_id.0, webhook_id.0).await?;
        let rows = store::webhook::list_deliveries(&self.0.db, row.id, DELIVERIES).await?;
        Ok(Answer(Results { results: rows.into_iter().map(WebhookEventResponse::from).collect() }))
    }
}

impl WebhookApi {
    async fn load(&self, auth: &Auth, action: Action, organization: Uuid, id: Uuid) -> Result<Model> {
        access::webhook(&self.0.db, &auth.0, action, OrganizationId(organization), WebhookId(id)).await
    }

    /// Checks a request and writes it into a row; a secret that is not given stays.
    fn apply(&self, given: OrganizationWebhookCreateRequest, mut row: Model) -> Result<Model> {
        row.kind = given.kind.into();
        row.target_url = limits::web_address("target_url", &given.target_url)?;
        outbound::check_literal(&row.target_url, self.0.config.webhook_private_addresses)
            .map_err(|reason| Error::invalid("target_url", reason))?;
        match given.target_secret {
            None => {}
            Some(text) if text.is_empty() => row.secret = None,
            Some(text) => {
                let text = limits::text("target_secret", text)?;
                sign::key(&text).map_err(|reason| Error::invalid("target_secret", reason))?;
                row.secret = Some(self.0.keys.seal(&secret::place("webhook", row.id.0), text.as_bytes())?);
            }
        }
        if let Some(text) = given.description {
            row.description = Some(limits::text("description", text)?);
        }
        row.enabled = given.enabled.unwrap_or(row.enabled);
        if given.events.is_empty() || given.events.len() > limits::ITEMS {
            return Err(Error::invalid("events", "is empty, or too long"));
        }
        let mut events: Vec<_> = given.events.into_iter().map(WebhookEvent::from).collect();
        events.sort_unstable();
        events.dedup();
        row.events = Events(events);
        row.project_names =
            ProjectNames(limits::list("project_names_filter", given.project_names_filter.unwrap_or_default())?);
        let mut modes: Vec<_> = given
            .environment_types_filter
            .unwrap_or_default()
            .into_iter()
            .map(entity::environment::Mode::from)
            .collect();
        modes.sort_unstable();
        modes.dedup();
        row.modes = Modes(modes);
        Ok(row)
    }
}
