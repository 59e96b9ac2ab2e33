//! Silences of alerts.

use std::sync::Arc;

use entity::alert_silence::Model;
use entity::id::{AlertSilenceId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::silence_body::{AlertSilence, AlertSilenceRequest};
use crate::access::{self, Action};
use crate::alert::{create_silence, delete_silence, edit_silence};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Created, EmptyResponse, Json, NoContent, Results, StrictBody, Success};
use crate::app::App;
use crate::error::Result;
use crate::store;

pub(in crate::api) struct AlertSilenceApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl AlertSilenceApi {
    #[oai(path = "/organization/:organizationId/alert-silence", method = "get", operation_id = "getAlertSilences", tag = Tag::AlertRules)]
    async fn get_alert_silences(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<AlertSilence>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let (rows, now) = (store::alert::list_silences(&self.0.db, id).await?, self.0.clock.now());
        Ok(Json(Results { results: rows.into_iter().map(|row| AlertSilence::new(row, now)).collect() }))
    }

    #[oai(path = "/organization/:organizationId/alert-silence", method = "post", operation_id = "createAlertSilence", tag = Tag::AlertRules)]
    async fn create_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
        body: StrictBody<AlertSilenceRequest>,
    ) -> Result<Created<AlertSilence>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        Ok(Json(create_silence(&self.0, &auth.requester(), id, body.0.into(), AlertSilence::new).await?))
    }

    #[oai(path = "/alert-silence/:alertSilenceId", method = "put", operation_id = "editAlertSilence", tag = Tag::AlertRules)]
    async fn edit_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "alertSilenceId")] alert_silence_id: Path<Uuid>,
        body: StrictBody<AlertSilenceRequest>,
    ) -> Result<Success<AlertSilence>> {
        let old = self.load(&auth, alert_silence_id.0).await?;
        Ok(Json(edit_silence(&self.0, &auth.requester(), old, body.0.into(), AlertSilence::new).await?))
    }

    #[oai(path = "/alert-silence/:alertSilenceId", method = "delete", operation_id = "deleteAlertSilence", tag = Tag::AlertRules)]
    async fn delete_alert_silence(
        &self,
        auth: Auth,
        #[oai(name = "alertSilenceId")] alert_silence_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, alert_silence_id.0).await?;
        delete_silence(&self.0, &auth.requester(), row, AlertSilence::new).await?;
        Ok(EmptyResponse)
    }
}

impl AlertSilenceApi {
    async fn load(&self, auth: &Auth, id: Uuid) -> Result<Model> {
        access::alert_silence(&self.0.db, &auth.0, Action::ManageSettings, AlertSilenceId(id)).await
    }
}
