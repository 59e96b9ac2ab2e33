//! Receivers of alerts.

use std::sync::Arc;

use entity::alert_receiver::Model;
use entity::id::{AlertReceiverId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::receiver_body::{
    AlertReceiverCreationRequest, AlertReceiverCreationValidationRequest, AlertReceiverEditRequest,
    AlertReceiverValidationRequest,
};
use super::receiver_view::AlertReceiverResponse;
use crate::access::{self, Action};
use crate::alert::{Address, create_receiver, delete_receiver, edit_receiver, new_receiver, try_out};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::app::App;
use crate::error::Result;
use crate::store;

pub(in crate::api) struct AlertReceiverApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl AlertReceiverApi {
    #[oai(path = "/organization/:organizationId/alert-receivers", method = "get", operation_id = "getAlertReceivers", tag = Tag::AlertReceivers)]
    async fn get_alert_receivers(
        &self,
        auth: Auth,
        #[oai(name = "organizationId")] organization_id: Path<Uuid>,
    ) -> Result<Success<Results<AlertReceiverResponse>>> {
        let id = OrganizationId(organization_id.0);
        access::organization(&self.0.db, &auth.0, Action::ViewSettings, id).await?;
        let rows = store::alert::list_receivers(&self.0.db, id).await?;
        Ok(Json(Results { results: rows.into_iter().map(AlertReceiverResponse::from).collect() }))
    }

    #[oai(path = "/alert-receivers", method = "post", operation_id = "createAlertReceiver", tag = Tag::AlertReceivers)]
    async fn create_alert_receiver(
        &self,
        auth: Auth,
        body: Body<AlertReceiverCreationRequest>,
    ) -> Result<Created<AlertReceiverResponse>> {
        let id = self.organization(&auth, &body.0).await?;
        let shown = AlertReceiverResponse::from;
        Ok(Json(create_receiver(&self.0, &auth.requester(), id, body.0.given(), shown).await?))
    }

    #[oai(path = "/alert-receivers/validate", method = "post", operation_id = "validateNewAlertReceiver", tag = Tag::AlertReceivers)]
    async fn validate_new_alert_receiver(
        &self,
        auth: Auth,
        body: Body<AlertReceiverCreationValidationRequest>,
    ) -> Result<EmptyResponse<200>> {
        let AlertReceiverCreationValidationRequest { alert_receiver, message } = body.0;
        let id = self.organization(&auth, &alert_receiver).await?;
        let (row, address) = new_receiver(&self.0, id, alert_receiver.given())?;
        try_out(&self.0, &row, &address, message).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/alert-receivers/:alertReceiverId", method = "get", operation_id = "getAlertReceiver", tag = Tag::AlertReceivers)]
    async fn get_alert_receiver(
        &self,
        auth: Auth,
        #[oai(name = "alertReceiverId")] alert_receiver_id: Path<Uuid>,
    ) -> Result<Success<AlertReceiverResponse>> {
        Ok(Json(self.load(&auth, Action::ViewSettings, alert_receiver_id.0).await?.into()))
    }

    #[oai(path = "/alert-receivers/:alertReceiverId", method = "put", operation_id = "editAlertReceiver", tag = Tag::AlertReceivers)]
    async fn edit_alert_receiver(
        &self,
        auth: Auth,
        #[oai(name = "alertReceiverId")] alert_receiver_id: Path<Uuid>,
        body: Body<AlertReceiverEditRequest>,
    ) -> Result<Success<AlertReceiverResponse>> {
        let row = self.load(&auth, Action::ManageSettings, alert_receiver_id.0).await?;
        let shown = AlertReceiverResponse::from;
        Ok(Json(edit_receiver(&self.0, &auth.requester(), row, |_| Ok(body.0.given()), shown).await?))
    }

    #[oai(path = "/alert-receivers/:alertReceiverId", method = "delete", operation_id = "deleteAlertReceiver", tag = Tag::AlertReceivers)]
    async fn delete_alert_receiver(
        &self,
        auth: Auth,
        #[oai(name = "alertReceiverId")] alert_receiver_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, alert_receiver_id.0).await?;
        delete_receiver(&self.0, &auth.requester(), row, AlertReceiverResponse::from).await?;
        Ok(EmptyResponse)
    }

    #[oai(path = "/alert-receivers/:alertReceiverId/validate", method = "post", operation_id = "validateExistingAlertReceiver", tag = Tag::AlertReceivers)]
    async fn validate_existing_alert_receiver(
        &self,
        auth: Auth,
        #[oai(name = "alertReceiverId")] alert_receiver_id: Path<Uuid>,
        body: Body<AlertReceiverValidationRequest>,
    ) -> Result<EmptyResponse<200>> {
        let row = self.load(&auth, Action::ManageSettings, alert_receiver_id.0).await?;
        let address = Address::open(&self.0, &row)?;
        try_out(&self.0, &row, &address, body.0.message).await?;
        Ok(EmptyResponse)
    }
}

impl AlertReceiverApi {
    async fn load(&self, auth: &Auth, action: Action, id: Uuid) -> Result<Model> {
        access::alert_receiver(&self.0.db, &auth.0, action, AlertReceiverId(id)).await
    }

    /// The organization of a new receiver.
    async fn organization(&self, auth: &Auth, body: &AlertReceiverCreationRequest) -> Result<OrganizationId> {
        let id = OrganizationId(body.organization());
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        Ok(id)
    }
}
