//! States that are uploaded, without a credential: the secret in the address is sealed, and says whose rights count.

use std::io::Error as IoError;
use std::sync::Arc;

use bytes::Bytes;
use entity::deployment::Origin;
use entity::{workspace, workspace_step};
use futures_util::{Stream, StreamExt as _};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Response, Route, handler, put};

use super::error::{Problem, Result, answered, guarded};
use super::expected_state::{Expected, JSON_STATE, STATE, locked, out_of_order};
use super::sealed_address;
use super::state_visit::require_writing;
use crate::access::{principal, require_right};
use crate::app::App;
use crate::engine::requester::Requester;
use crate::engine::terraform_state::{MOST_BYTES, NewVersion, NotStored, OVERTAKEN, Refused, StateHead, store_version};
use crate::engine::workspace_event::kind;
use crate::engine::workspace_lock::is_held_by;
use crate::store;

pub(super) fn routes(route: Route) -> Route {
    route
        .at("/api/v2/sealed/state/:secret", guarded(put(accept)))
        .at("/api/v2/sealed/json-state/:secret", guarded(put(accept_json)))
}

#[handler]
async fn accept(app: Data<&Arc<App>>, secret: Path<String>, body: Body) -> Response {
    let answer = async {
        let (expected, row) = opened(app.0, STATE, &secret.0).await?;
        arrived(app.0, &row, &expected, body.into_bytes_stream()).await?;
        Ok(Response::builder().status(StatusCode::OK).finish())
    };
    answered(answer.await)
}

/// The state in the format of `terraform show -json`. It is made from the state itself when it is read, so this one is not kept.
#[handler]
async fn accept_json(app: Data<&Arc<App>>, secret: Path<String>, body: Body) -> Response {
    let answer = async {
        opened(app.0, JSON_STATE, &secret.0).await?;
        let mut bytes = 0;
        let mut parts = Box::pin(body.into_bytes_stream());
        while let Some(part) = parts.next().await {
            bytes += part.map_err(|_| Problem::bad("the state was not received completely"))?.len() as u64;
            if bytes > MOST_BYTES {
                return Err(too_large());
            }
        }
        Ok(Response::builder().status(StatusCode::OK).finish())
    };
    answered(answer.await)
}

/// The state that an address was made for, and its workspace, if whoever asked for the address still may write it.
async fn opened(app: &App, kind: &str, secret: &str) -> Result<(Expected, workspace::Model)> {
    let expected: Expected = sealed_address::open(app, kind, secret, app.clock.now())?;
    let row = store::row::by_id::<workspace::Model>(&app.db, expected.workspace).await?;
    // A step that runs while its workspace is hidden stores what it has done.
    let row = row.filter(|row| !row.deleted || expected.step.is_some()).ok_or_else(|| Problem::missing("workspace"))?;
    if let Some(id) = expected.step {
        let step = store::row::by_id::<workspace_step::Model>(&app.db, id).await?.filter(|step| step.token.is_some());
        // As when the time of the address has run out.
        require_writing(&step.ok_or_else(|| Problem::missing("address"))?)?;
        return Ok((expected, row));
    }
    let reach = principal::standing(&app.db, &expected.principal).await?;
    require_right(reach.in_workspace(row.organization_id, row.id).states)?;
    Ok((expected, row))
}

/// Stores a state that was announced. The same upload twice is one version.
pub(super) async fn arrived(
    app: &Arc<App>,
    row: &workspace::Model,
    expected: &Expected,
    parts: impl Stream<Item = Result<Bytes, IoError>>,
) -> Result<()> {
    let Expected { upload, holder, by, user_agent, serial, md5, is_forced, job, .. } = expected;
    let may_write = |row: &workspace::Model| row.state_lock.is_none() || is_held_by(row, holder);
    if store::workspace::state_line(&app.db, *upload).await?.is_some() {
        return Ok(());
    }
    // A large state is not received in vain.
    if !may_write(row) {
        return Err(locked());
    }
    let who = Requester { name: by.clone(), email: None, origin: Origin::Api, user_agent: user_agent.clone() };
    let wanted = NewVersion {
        workspace: row,
        by,
        job: *job,
        upload: Some(*upload),
        reason: None,
        event: expected.step.is_none().then_some((&who, kind::UPDATE)),
        follows: None,
        is_forced: *is_forced,
        md5: Some(md5),
        may_write: &may_write,
    };
    let is_announced = |head: &StateHead| match head.serial {
        found if found == Some(*serial) => Ok(()),
        None => Err(Problem::invalid(format!("serial: the state has no serial, and {serial} was announced"))),
        Some(found) => {
            Err(Problem::invalid(format!("serial: the state has the serial {found}, and {serial} was announced")))
        }
    };
    store_version(app, &wanted, parts, is_announced).await.map(drop)
}

fn too_large() -> Problem {
    let detail = format!("the state is larger than {MOST_BYTES} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", detail)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge => too_large(),
            Refused::Invalid(reason) => Self::invalid(format!("state: {reason}")),
            Refused::Interrupted => Self::bad("the state was not received completely"),
            Refused::Failed(error) => error.into(),
        }
    }
}

impl From<NotStored> for Problem {
    fn from(refused: NotStored) -> Self {
        match refused {
            NotStored::Locked => locked(),
            NotStored::OtherContent { received, expected } => {
                Self::invalid(format!("md5: the state that was received has the MD5 sum {received}, not {expected}"))
            }
            NotStored::NoSerial => Self::invalid("serial: the state has no serial"),
            NotStored::LongLineage(refusal) => Self::invalid(refusal.to_string()),
            NotStored::OutOfOrder(stale) => out_of_order(&stale),
            NotStored::Overtaken => Self::conflict("the state does not follow the newest one", OVERTAKEN),
            NotStored::Failed(error) => error.into(),
        }
    }
}
