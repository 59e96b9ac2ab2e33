//! Sends states in pieces, with bounded memory, and says why one is refused.

use std::sync::Arc;

use entity::state_version;
use poem::http::StatusCode;
use poem::{Body, Response};

use super::error::{Problem, Result};
use crate::app::App;
use crate::engine::terraform_state::{MOST_BYTES, NotStored, OVERTAKEN, Refused, StateContent, content};

/// Sends a state as it is stored.
pub(super) async fn send(app: &Arc<App>, row: state_version::Model) -> Result<Response> {
    let StateContent { bytes, parts } = content(app, row).await?;
    let response = Response::builder().content_type("application/json").header("content-length", bytes.to_string());
    Ok(response.body(Body::from_bytes_stream(parts)))
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the state is larger than {MOST_BYTES} bytes"))
            }
            Refused::Invalid(reason) => Self::bad(reason),
            Refused::Interrupted => Self::bad("the state was not received completely"),
            Refused::Failed(error) => error.into(),
        }
    }
}

impl From<NotStored> for Problem {
    fn from(refused: NotStored) -> Self {
        match refused {
            NotStored::Locked => Self::new(StatusCode::LOCKED, "another client holds the lock of the state"),
            NotStored::OtherContent { received, expected } => Self::bad(format!(
                "Content-MD5: the state that was received has the MD5 sum {received}, not {expected}"
            )),
            NotStored::NoSerial => Self::bad("the state has no serial"),
            NotStored::LongLineage(refusal) => refusal.into(),
            NotStored::OutOfOrder(stale) => {
                Self::new(StatusCode::CONFLICT, format!("{stale}; add ?force=true to replace it all the same"))
            }
            NotStored::Overtaken => Self::new(StatusCode::CONFLICT, OVERTAKEN),
            NotStored::Failed(error) => error.into(),
        }
    }
}
