//! Personal and team access tokens.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::access_token;
use entity::id::AccessTokenId;
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, Route, get, handler};
use serde_json::{Value, json};
use uuid::Uuid;

use super::attribute_value::scalar;
use super::error::{Problem, Result};
use super::request::read_json_body;
use super::response::{answered, guarded, json_response};
use super::session::Session;
use crate::access::{Action, Location};
use crate::app::App;
use crate::engine::own_token::{self, NewOwnToken, OwnerOfToken};
use crate::store;
use crate::store::team::TokensOf;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/pat/v1", guarded(get(list_own).post(create_own)))
        .at("/pat/v1/:id", guarded(poem::delete(delete_own)))
        .at("/access-token/v1/teams", guarded(get(list_teams).post(create_team)))
        .at("/access-token/v1/teams/:id", guarded(poem::delete(delete_team)))
}

/// The longest text of a request for a token, in characters.
const MOST_TEXT: usize = 1024;

/// The body of a request for a token.
struct TokenRequest {
    description: Option<String>,
    group: Option<String>,
    days: i64,
    hours: i64,
    minutes: i64,
}

async fn token_request(body: Body) -> Result<TokenRequest> {
    let body = read_json_body(body).await?;
    if !body.is_object() {
        return Err(Problem::bad("the body must be an object with description, days, hours and minutes"));
    }
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= MOST_TEXT => Ok(Some(text.clone())),
        Some(_) => Err(Problem::bad(format!("{name} must be a text of at most {MOST_TEXT} characters"))),
    };
    // Clients send numbers as texts, too.
    let number = |name: &str| {
        let number = match body.get(name) {
            None | Some(Value::Null) => Some(0),
            Some(value) => scalar(value).and_then(|text| text.parse().ok()),
        };
        let valid = number.filter(|number| (0..=36_500).contains(number));
        valid.ok_or_else(|| Problem::bad(format!("{name} must be a whole number from 0 to 36500")))
    };
    Ok(TokenRequest {
        description: text("description")?,
        group: text("group")?,
        days: number("days")?,
        hours: number("hours")?,
        minutes: number("minutes")?,
    })
}

/// Creates a token for the caller or one of their groups. The token is returned once.
async fn create(session: &Session, wanted: TokenRequest, group: Option<String>) -> Result<Response> {
    let TokenRequest { description, days, hours, minutes, .. } = wanted;
    let life = TimeDelta::days(days) + TimeDelta::hours(hours) + TimeDelta::minutes(minutes);
    let caller = &session.caller;
    let owner = match group {
        Some(group) => OwnerOfToken::Team(group, caller.person()),
        None => OwnerOfToken::Person(person(session)?, &caller.identity.groups),
    };
    let wanted = NewOwnToken {
        owner,
        by: caller.name(),
        description,
        // A lifetime of zero stands for the default of the server.
        expires_at: (life > TimeDelta::zero()).then(|| session.now + life),
        lifetime: Some(json!([days, hours, minutes])),
    };
    let token = own_token::create(&session.app, wanted, session.now).await?;
    Ok(json_response(StatusCode::CREATED, &json!({"token": token.expose()})))
}

fn shown(row: &access_token::Model) -> Value {
    let seconds = row.expires_at.map_or(0, |at| (at - row.created_at).num_seconds());
    let asked = row.lifetime.as_ref().and_then(|asked| serde_json::from_value(asked.clone()).ok());
    let [days, hours, minutes] = asked.unwrap_or([seconds / 86_400, seconds % 86_400 / 3600, seconds % 3600 / 60]);
    let groups: Vec<String> = serde_json::from_value(row.groups.clone()).unwrap_or_default();
    json!({
        "id": row.id,
        "description": row.description,
        "days": days,
        "hours": hours,
        "minutes": minutes,
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
    own_token::revoke(&session.app, id).await?;
    Ok(json_response(StatusCode::ACCEPTED, &json!({})))
}

/// Which groups the caller may have tokens for.
enum Groups<'a> {
    /// Their own.
    Own(&'a [String]),
    /// All of them: without an OIDC issuer nobody belongs to a group, and the administrators of the first organization run the server.
    All,
}

impl<'a> Groups<'a> {
    async fn of(session: &'a Session) -> Result<Self> {
        if !session.app.authenticator.people_sign_in()
            && let Some(first) = store::organization::first(&session.app.db).await?
            && session.caller.may(first, Action::ManageMembers, &Location::default())
        {
            return Ok(Self::All);
        }
        Ok(Self::Own(&session.caller.identity.groups))
    }

    fn have(&self, group: &String) -> bool {
        match self {
            Self::Own(groups) => groups.contains(group),
            Self::All => true,
        }
    }

    /// Whether a token is one of theirs.
    fn own(&self, row: &access_token::Model) -> bool {
        let groups: Vec<String> = serde_json::from_value(row.groups.clone()).unwrap_or_default();
        row.person_id.is_none() && groups.iter().all(|group| self.have(group))
    }
}

#[handler]
async fn create_team(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    answered(
        async {
            let session = Session::of(app.0, request).await?;
            let wanted = token_request(body).await?;
            let group = wanted.group.clone().filter(|group| !group.is_empty());
            let group = group.ok_or_else(|| Problem::bad("group must not be null"))?;
            if !Groups::of(&session).await?.have(&group) {
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
            let groups = Groups::of(&session).await?;
            let rows: Vec<Value> = rows.iter().filter(|row| groups.own(row)).map(shown).collect();
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
            let groups = Groups::of(&session).await?;
            delete(&session, id.0, |row| groups.own(row)).await
        }
        .await,
    )
}
