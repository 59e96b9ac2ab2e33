//! The account of the caller.

use std::sync::Arc;

use entity::{api_token, person};
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::Auth;
use super::tag::Tag;
use super::wire::{Body, Json, Success, Timestamp};
use crate::access::Subject;
use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::store;

#[derive(Debug, Serialize, Deserialize, Object)]
struct AccountInfo {
    id: Uuid,
    created_at: Timestamp,
    nickname: String,
    first_name: String,
    last_name: String,
    communication_email: String,
}

#[derive(Debug, Default, Deserialize, Object)]
#[serde(default)]
#[oai(default)]
struct AccountInfoEditRequest {
    communication_email: Option<String>,
}

impl From<person::Model> for AccountInfo {
    fn from(row: person::Model) -> Self {
        let person::Model { id, created_at, issuer: _, subject, email, name, communication_email, groups: _ } = row;
        let full = name.clone().unwrap_or_default();
        let (first, last) = full.split_once(' ').unwrap_or((full.as_str(), ""));
        Self {
            id: id.0,
            created_at: Timestamp(created_at),
            nickname: name.clone().or_else(|| email.clone()).unwrap_or(subject),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            communication_email: communication_email.or(email).unwrap_or_default(),
        }
    }
}

impl From<api_token::Model> for AccountInfo {
    fn from(row: api_token::Model) -> Self {
        Self {
            id: row.id.0,
            created_at: Timestamp(row.created_at),
            nickname: row.name,
            first_name: String::new(),
            last_name: String::new(),
            communication_email: String::new(),
        }
    }
}

pub(super) struct AccountApi(pub(super) Arc<App>);

#[OpenApi]
impl AccountApi {
    #[oai(path = "/account", method = "get", operation_id = "getAccountInformation", tag = Tag::AccountInfo)]
    async fn get_account_information(&self, auth: Auth) -> Result<Success<AccountInfo>> {
        let not_found = Error::NotFound("account");
        match auth.0.identity.subject {
            Subject::Person { id, .. } => {
                Ok(Json(store::row::by_id::<person::Model>(&self.0.db, id).await?.ok_or(not_found)?.into()))
            }
            Subject::Token { id, .. } => Ok(Json(store::token::by_id(&self.0.db, id).await?.ok_or(not_found)?.into())),
            Subject::Group { .. } => Err(not_found),
        }
    }

    #[oai(path = "/account", method = "put", operation_id = "editAccountInformation", tag = Tag::AccountInfo)]
    async fn edit_account_information(
        &self,
        auth: Auth,
        body: Body<AccountInfoEditRequest>,
    ) -> Result<Success<AccountInfo>> {
        let id = auth.0.person().ok_or(Error::Forbidden("only a person can edit an account"))?;
        let given = body.0.communication_email.map(|text| limits::name("communication_email", &text)).transpose()?;
        if given.as_ref().is_some_and(|text| !text.contains('@')) {
            return Err(Error::invalid("communication_email", "must be an email address"));
        }
        let row = store::write(&self.0.db, async |tx| {
            let edit = |row: person::Model| {
                let communication_email = given.or(row.communication_email);
                Ok(person::Model { communication_email, ..row })
            };
            let changed = store::row::change(tx, id, edit, Error::from).await?;
            changed.map(|(_, row)| row).ok_or(Error::NotFound("account"))
        })
        .await?;
        Ok(Json(row.into()))
    }
}
