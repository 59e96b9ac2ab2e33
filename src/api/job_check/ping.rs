//! /ping/{key}: what runs elsewhere reports. There is no other credential than the key in the address, which is never logged.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Body, Request, Response, RouteMethod, get, handler};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use crate::app::App;
use crate::engine::job_check::{Answer, MOST_BYTES, Ping, Signal, lines, receive};
use crate::error::{Error, Result};
use crate::secret::TokenHash;
use crate::store;

/// The beginning of the path of every ping.
const PATH: &str = "/ping/";
/// How much of a longer body is read and forgotten, so that the sender gets the answer.
const READ_BYTES: usize = 10 * 1024 * 1024;
/// The longest key that is looked up.
const LONGEST_KEY: usize = 100;

/// The methods of pings.
pub(in crate::api) fn route() -> RouteMethod {
    get(accept_ping).post(accept_ping).head(accept_ping)
}

#[handler]
async fn accept_ping(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    match answer(&app, request, body).await {
        Ok((status, text)) => text_response(status, text),
        Err(error @ Error::Unavailable { .. }) => {
            tracing::warn!(?error, "a ping could not be stored");
            text_response(StatusCode::SERVICE_UNAVAILABLE, "the database cannot be used; try again")
        }
        Err(error) => {
            tracing::error!(?error, "a ping could not be stored");
            text_response(StatusCode::INTERNAL_SERVER_ERROR, "internal error; see the server log")
        }
    }
}

async fn answer(app: &App, request: &Request, body: Body) -> Result<(StatusCode, &'static str)> {
    const BAD_SIGNAL: &str =
        "the address must end with the key, or with start, fail, log or an exit code from 0 to 255";
    const BAD_NAME: &str = "rid: must be a UUID";
    let mut parts = request.uri().path().strip_prefix(PATH).unwrap_or_default().split('/');
    let key = parts.next().unwrap_or_default();
    let hash = TokenHash::of(key).stored();
    let known = if key.len() > LONGEST_KEY { None } else { store::job_check::job_of_key(&app.db, &hash).await? };
    let Some(job) = known else { return Ok((StatusCode::NOT_FOUND, "no check has this key")) };
    if !app.ping_rates.allow(job.0, app.clock.now()) {
        return Ok((StatusCode::TOO_MANY_REQUESTS, "too many pings of this check"));
    }
    let signal = match parts.next() {
        None | Some("") => Some(Signal::Success),
        Some(name) => Signal::named(name),
    };
    let Some(signal) = signal else { return Ok((StatusCode::BAD_REQUEST, BAD_SIGNAL)) };
    let Ok(name) = run_name(request.uri().query()) else { return Ok((StatusCode::BAD_REQUEST, BAD_NAME)) };
    let (text, is_cut) = read(body).await;
    let ping = Ping { signal, name, lines: lines(&text, is_cut) };
    Ok(match receive(app, (job, &hash), &ping).await? {
        Answer::Accepted => (StatusCode::OK, "OK"),
        Answer::UnknownKey => (StatusCode::NOT_FOUND, "no check has this key"),
        Answer::NoRun => (StatusCode::CONFLICT, "there is no run whose log the text could be added to"),
        Answer::TooManyOpen => (StatusCode::CONFLICT, "too many runs of this check have started and not ended"),
    })
}

/// The name that tells runs apart which overlap.
fn run_name(query: Option<&str>) -> std::result::Result<Option<Uuid>, uuid::Error> {
    let pairs = query.unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.strip_prefix("rid=")).next().map(Uuid::parse_str).transpose()
}

/// The beginning of a body, and whether there is more. A body that breaks off is cut, too: the ping itself has arrived.
async fn read(body: Body) -> (Vec<u8>, bool) {
    let mut reader = body.into_async_read();
    let (mut kept, mut piece, mut total) = (Vec::new(), vec![0; 16 * 1024], 0);
    loop {
        match reader.read(&mut piece).await {
            Ok(0) => return (kept, total > MOST_BYTES),
            Ok(count) => {
                total += count;
                let room = MOST_BYTES.saturating_sub(kept.len());
                kept.extend(piece.iter().take(count.min(room)));
            }
            Err(_) => return (kept, true),
        }
        if total > READ_BYTES {
            return (kept, true);
        }
    }
}

fn text_response(status: StatusCode, text: &'static str) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(text)
}

#[cfg(test)]
mod tests {
    use super::run_name;

    #[test]
    fn a_run_is_named_by_a_uuid() {
        let id = "8c1b3a52-6a0e-4f0e-9f49-6f3f6a1d2b3c";
        assert_eq!(run_name(Some(&format!("a=b&rid={id}"))).unwrap().unwrap().to_string(), id);
        assert_eq!(run_name(None).unwrap(), None);
        assert!(run_name(Some("rid=7")).is_err());
    }
}
