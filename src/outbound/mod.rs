//! Calls of webhooks: what was stored to be sent is sent, with a signature, no redirects, and only to addresses that
//! are allowed; what fails is tried again with growing pauses.

pub mod address;
pub mod sign;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook_delivery::{DeliveryState, Model};
use entity::{webhook, webhook::WebhookKind};
use futures_util::StreamExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::{Error, Result};
use crate::{secret, store};

/// For one call, from connecting to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many calls are made at the same time.
const AT_ONCE: usize = 8;
/// How many calls are taken at once.
const BATCH: u64 = 32;
/// Nobody else takes a call for this long.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// The longest sleep.
const CALM: Duration = Duration::from_secs(2);
/// How much of an answer is kept, in bytes.
const ANSWER: usize = 2048;
/// The pauses before the second and every further attempt; after the last one a call has failed.
const PAUSES: [TimeDelta; 7] = [
    TimeDelta::seconds(5),
    TimeDelta::seconds(30),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(8),
    TimeDelta::hours(24),
];

/// Sends until `shutdown`.
pub async fn run(app: &App, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let sent = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            sent = send(app, app.clock.now()) => sent,
        };
        match sent {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(?error, "sending webhooks failed; it is tried again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause(app).await) => {}
        }
    }
}

async fn pause(app: &App) -> Duration {
    match store::webhook::next_delivery(&app.db).await {
        Ok(Some(due)) => (due - app.clock.now()).to_std().unwrap_or_default().clamp(Duration::from_millis(20), CALM),
        Ok(None) | Err(_) => CALM,
    }
}

/// Makes the calls whose time has come, and returns how many there were.
///
/// # Errors
/// The database's.
pub async fn send(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::write(&app.db, async |tx| {
        store::webhook::claim_deliveries(tx, now, now + LEASE, BATCH).await.map_err(Error::from)
    })
    .await?;
    let count = due.len();
    let client = client(app.config.webhook_private_addresses).map_err(Error::internal)?;
    let results: Vec<Result<()>> = futures_util::stream::iter(due.into_iter().map(|row| one(app, &client, row)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.into_iter().collect::<Result<()>>()?;
    Ok(count)
}

async fn one(app: &App, client: &Client, row: Model) -> Result<()> {
    let Some(hook) = store::row::by_id::<webhook::Model>(&app.db, row.webhook_id).await? else { return Ok(()) };
    let answer = match request(app, client, &hook, &row)? {
        Ok(request) => call(request).await,
        Err(reason) => Err(reason),
    };
    let now = app.clock.now();
    let attempts = row.attempts + 1;
    let (status_code, response) = match &answer {
        Ok((status, text)) => (Some(i32::from(*status)), text.clone()),
        Err(reason) => (None, reason.clone()),
    };
    let taken = matches!(answer, Ok((status, _)) if (200..300).contains(&status));
    let pause = usize::try_from(row.attempts).ok().and_then(|place| PAUSES.get(place));
    let (state, next_attempt_at) = match pause {
        _ if taken => (DeliveryState::Delivered, now),
        Some(pause) => (DeliveryState::Pending, now + *pause),
        None => (DeliveryState::Failed, now),
    };
    let response = Some(response);
    let row = Model { state, attempts, next_attempt_at, status_code, response, updated_at: now, ..row };
    match store::row::update(&app.db, row).await {
        // The webhook was deleted meanwhile, and its calls with it.
        Ok(_) | Err(sea_orm::DbErr::RecordNotUpdated) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The call as it is sent: by Standard Webhooks its id, time and signature are in its header.
fn request(
    app: &App,
    client: &Client,
    hook: &webhook::Model,
    row: &Model,
) -> Result<Result<reqwest::RequestBuilder, String>> {
    if let Err(reason) = check_literal(&row.target_url, app.config.webhook_private_addresses) {
        return Ok(Err(reason));
    }
    let body = row.payload.to_string();
    let mut request = client.post(&row.target_url).header("content-type", "application/json");
    if row.kind == WebhookKind::Standard {
        let (id, at) = (row.id.to_string(), app.clock.now().timestamp());
        request = request.header("webhook-id", &id).header("webhook-timestamp", at.to_string());
        if let Some(sealed) = &hook.secret {
            let text = app.keys.open_text(&secret::place("webhook", hook.id.0), sealed)?;
            let key = sign::key(text.expose()).map_err(Error::internal)?;
            request = request.header("webhook-signature", sign::signature(key.expose(), &id, at, &body));
        }
    }
    Ok(Ok(request.body(body)))
}

/// The status and the beginning of the text of an answer.
async fn call(request: reqwest::RequestBuilder) -> Result<(u16, String), String> {
    let work = async {
        let mut response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status().as_u16();
        let mut text = Vec::new();
        while text.len() < ANSWER {
            match response.chunk().await {
                Ok(Some(piece)) => text.extend_from_slice(&piece),
                Ok(None) | Err(_) => break,
            }
        }
        text.truncate(ANSWER);
        Ok((status, String::from_utf8_lossy(&text).replace('\0', "\u{fffd}")))
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err("there was no answer in time".into()))
}

fn reason(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<Refused>() {
            return Refused.to_string();
        }
        source = inner.source();
    }
    if error.is_connect() { "the address does not answer".into() } else { "the call broke off".into() }
}

fn client(private: bool) -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .no_proxy()
        .dns_resolver(Arc::new(Resolver { private }))
        .user_agent(concat!("Windlass/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Refuses an address that is written as a number and is not allowed; names are checked when they are connected to.
///
/// # Errors
/// A reason for the caller.
pub fn check_literal(url: &str, private: bool) -> Result<(), String> {
    let url = Url::parse(url).map_err(|_| "is not an address".to_owned())?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(ip) if !private && !address::is_public(ip) => Err(Refused.to_string()),
        _ => Ok(()),
    }
}

/// The address that a name leads to is not allowed.
#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("leads to a loopback, private, link-local or otherwise special address, which is not allowed here")
    }
}

impl std::error::Error for Refused {}

/// Looks names up, and leaves out addresses that are not allowed: what is checked is what is connected to.
struct Resolver {
    private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| private || address::is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::<dyn std::error::Error + Send + Sync>::from(Refused));
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}
