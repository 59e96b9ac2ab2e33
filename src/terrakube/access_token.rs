//! Personal and team access tokens.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::access_token;
use entity::id::AccessTokenId;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{Problem, Result};
use super::request::read_json_body;
use super::response::{answered, guarded, json_response};
use super::session::Session;
use crate::app::App;
use crate::secret::{TokenHash, new_token};
use crate::store;
use crate::store::team::TokensOf;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/pat/v1", guarded(get(list_own).post(create_own)))
        .at("/pat/v1/:id", guarded(poem::delete(delete_own)))
        .at("/access-token/v1/teams", guarded(get(list_teams).post(create_team)))
        .at("/access-token/v1/teams/:id", guarded(poem::delete(delete_team)))
}

/// The body of a request for a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenRequest {
    description: Option<String>,
    group: Option<String>,
    days: i64,
    hours: i64,
    minutes: i64,
}

async fn token_request(body: Body) -> Result<TokenRequest> {
    serde_json::from_value(read_json_body(body).await?).map_err(|error| Problem::bad(error.to_string()))
}

/// Creates a token for the caller or one of their groups. The token is returned once.
async fn create(session: &Session, wanted: TokenRequest, group: Option<String>) -> Result<Response> {
    let TokenRequest { description, days, hours, minutes, .. } = wanted;
    if [days, hours, minutes].iter().any(|number| !(0..=36_500).contains(number)) {
        return Err(Problem::bad("days, hours and minutes must be between 0 and 36500"));
    }
    let life = TimeDelta::days(days) + TimeDelta::hours(hours) + TimeDelta::minutes(minutes);
    let token = new_token()?;
    let caller = &session.caller;
    let row = access_token::Model {
        id: AccessTokenId::create(),
        person_id: if group.is_some() { None } else { caller.person() },
        created_at: session.now,
        created_by: caller.name().to_owned(),
        name: group.clone().unwrap_or_else(|| caller.name().to_owned()),
        description,
        groups: group.map_or_else(|| json!(caller.identity.groups), |group| json!([group])),
        hash: TokenHash::of(token.expose()).stored(),
        // A lifetime of zero stands for the default of the server.
        expires_at: if life > TimeDelta::zero() {
            Some(session.now + life)
        } else {
            session.app.config.token_end(session.now)
        },
        last_used_at: None,
        creator_id: caller.person(),
    };
    store::row::create(&session.app.db, row).await?;
    Ok(json_response(StatusCode::CREATED, &json!({"token": token.expose()})))
}

fn shown(row: &access_token::Model) -> Value {
    let seconds = row.expires_at.map_or(0, |at| (at - row.created_at).num_seconds());
    let groups: Vec<String> = serde_json::from_value(row.groups.clone()).unwrap_or_default();
    json!({
        "id": row.id,
        "description": row.description,
        "days": seconds / 86_400,
        "hours": seconds % 86_400 / 3600,
        "minutes": seconds % 3600 / 60,
        "group": if row.person_id.is_none() { groups.first() } else { None },
        "createdBy": row.created_by,
        "lastUsedDate": row.last_used_at.map(|at| at.format("%Y-%m-%dT%H:%MZ").to_string()),
        "createdDate": row.created_at.format("%Y-%m-%dT%H:%MZ").to_string(),
    })
}

fn person(session: &Session) -> Result<entity::id::PersonId> {
    session.caller.person().ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "only people have personal tokens"))
}

#[handler]
async fn create_own(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            person(&session)?;
            create(&session, token_request(body).await?, None).await
        }
        .await,
    )
}

#[handler]
async fn list_own(app: Data<&Arc<App>>, request: &Request) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let rows = store::team::list_tokens(&app.0.db, TokensOf::Person(person(&session)?), None).await?;
            Ok(json_response(StatusCode::ACCEPTED, &json!(rows.iter().map(shown).collect::<Vec<_>>())))
        }
        .await,
    )
}

#[handler]
async fn delete_own(app: Data<&Arc<App>>, request: &Request, id: Path<Uuid>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let person = person(&session)?;
            delete(&session, id.0, |row| row.person_id == Some(person)).await
        }
        .await,
    )
}

async fn delete(session: &Session, id: Uuid, own: impl Fn(&access_token::Model) -> bool) -> Result<Response> {
    let id = AccessTokenId(id);
    let row = store::row::by_id::<access_token::Model>(&session.app.db, id).await?;
    row.filter(own).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("Unknown identifier {id} for token")))?;
    store::row::delete::<access_token::Model>(&session.app.db, id).await?;
    session.app.rights_changed();
    Ok(json_response(StatusCode::ACCEPTED, &json!({})))
}

fn belongs(session: &Session, row: &access_token::Model) -> bool {
    let groups: Vec<String> = serde_json::from_value(row.groups.clone()).unwrap_or_default();
    row.person_id.is_none() && groups.iter().all(|group| session.caller.identity.groups.contains(group))
}

#[handler]
async fn create_team(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let wanted = token_request(body).await?;
            let group = wanted.group.clone().filter(|group| !group.is_empty());
            let group = group.ok_or_else(|| Problem::bad("group must not be null"))?;
            if !session.caller.identity.groups.contains(&group) {
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "only someone who belongs to a group may create tokens for it",
                ));
            }
            create(&session, wanted, Some(group)).await
        }
        .await,
    )
}

#[handler]
async fn list_teams(app: Data<&Arc<App>>, request: &Request) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let rows = store::team::list_tokens(&app.0.db, TokensOf::Teams, None).await?;
            let rows: Vec<Value> = rows.iter().filter(|row| belongs(&session, row)).map(shown).collect();
            Ok(json_response(StatusCode::ACCEPTED, &json!(rows)))
        }
        .await,
    )
}

#[handler]
async fn delete_team(app: Data<&Arc<App>>, request: &Request, id: Path<Uuid>) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            delete(&session, id.0, |row| belongs(&session, row)).await
        }
        .await,
    )
}
