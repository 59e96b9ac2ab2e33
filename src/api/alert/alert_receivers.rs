//! Receivers of alerts.

use std::sync::Arc;

use entity::alert_receiver::{Model, ReceiverKind};
use entity::id::{AlertReceiverId, OrganizationId};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use uuid::Uuid;

use super::receiver_body::{
    AlertReceiverCreationRequest, AlertReceiverCreationValidationRequest, AlertReceiverEditRequest,
    AlertReceiverValidationRequest,
};
use super::receiver_change::{Stage, apply};
use super::receiver_view::AlertReceiverResponse;
use crate::access::{self, Action};
use crate::alert::{Address, try_out};
use crate::api::audit::{self, Change};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::{Body, Created, EmptyResponse, Json, NoContent, Results, Success};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// The maximum number of receivers in an organization.
const MOST: usize = 100;

pub(in crate::api) struct AlertReceiverApi(pub(in crate::api) Arc<App>);

fn change(kind: &'static str, row: &Model) -> Change {
    Change::new(kind, "ORGANIZATION", row.id.0, &row.name).part("ALERT_RECEIVER")
}

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
        let (row, _) = self.new_receiver(&auth, body.0).await?;
        let id = row.organization_id;
        let response = audit::write(&self.0, &auth, id, async |tx| {
            if store::alert::list_receivers(tx, id).await?.len() >= MOST {
                return Err(Error::invalid("", format!("an organization can have at most {MOST} alert receivers")));
            }
            let row = store::row::create(tx, row).await?;
            let change = change("CREATE", &row);
            let response = AlertReceiverResponse::from(row);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-receivers/validate", method = "post", operation_id = "validateNewAlertReceiver", tag = Tag::AlertReceivers)]
    async fn validate_new_alert_receiver(
        &self,
        auth: Auth,
        body: Body<AlertReceiverCreationValidationRequest>,
    ) -> Result<EmptyResponse<200>> {
        let AlertReceiverCreationValidationRequest { alert_receiver, message } = body.0;
        let (row, address) = self.new_receiver(&auth, alert_receiver).await?;
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
        let quiet_before = row.quiet_hours.clone();
        let before = AlertReceiverResponse::from(row.clone());
        let (row, _) = apply(&self.0, body.0.into(), row, Stage::Stored)?;
        // What the newest message met says nothing about the new address.
        let row = Model { updated_at: self.0.clock.now(), last_error: None, ..row };
        let response = audit::write(&self.0, &auth, row.organization_id, async |tx| {
            let row = store::row::update(tx, row).await?;
            if row.quiet_hours != quiet_before {
                store::alert::wake_quiet_messages(tx, row.id, row.updated_at).await?;
            }
            let change = change("UPDATE", &row).before(&before);
            let response = AlertReceiverResponse::from(row);
            let change = change.after(&response);
            Ok((response, change))
        })
        .await?;
        Ok(Json(response))
    }

    #[oai(path = "/alert-receivers/:alertReceiverId", method = "delete", operation_id = "deleteAlertReceiver", tag = Tag::AlertReceivers)]
    async fn delete_alert_receiver(
        &self,
        auth: Auth,
        #[oai(name = "alertReceiverId")] alert_receiver_id: Path<Uuid>,
    ) -> Result<NoContent> {
        let row = self.load(&auth, Action::ManageSettings, alert_receiver_id.0).await?;
        audit::write(&self.0, &auth, row.organization_id, async |tx| {
            store::alert::forget_receiver(tx, row.organization_id, row.id).await?;
            store::row::delete::<Model>(tx, row.id).await?;
            let change = change("DELETE", &row);
            Ok(((), change.before(&AlertReceiverResponse::from(row))))
        })
        .await?;
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

    /// A receiver that is not stored yet.
    async fn new_receiver(&self, auth: &Auth, body: AlertReceiverCreationRequest) -> Result<(Model, Address)> {
        let id = OrganizationId(body.organization());
        access::organization(&self.0.db, &auth.0, Action::ManageSettings, id).await?;
        let now = self.0.clock.now();
        let row = Model {
            id: AlertReceiverId::create(),
            organization_id: id,
            created_at: now,
            updated_at: now,
            name: String::new(),
            description: String::new(),
            kind: ReceiverKind::Webhook,
            send_resolved: false,
            owner: None,
            severity: None,
            quiet_hours: None,
            mail: None,
            host: String::new(),
            sealed: None,
            has_secret: false,
            last_error: None,
        };
        apply(&self.0, body.into(), row, Stage::New)
    }
}
