//! Keeps an open page fresh: its fragments are sent again when they have changed, as server-sent events.
//!
//! A stream sends only what the page shows already, so that nothing needs it. All open tabs share one small query a second; the fragments
//! of one are made again when a run was created, started or has ended since, when the page says so, and at least every half minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream;
use maud::Markup;
use poem::http::header;
use poem::{Body, Response};

use super::viewer::Viewer;
use crate::access::Caller;
use crate::access::read_guard::lost;
use crate::app::App;
use crate::error::Result;
use crate::store;

/// How often to look for changes.
const LOOK: Duration = Duration::from_secs(2);

/// How old the answer may be that tabs share.
const SHARED: Duration = Duration::from_secs(1);

/// After how long fragments are made again although no run has changed.
const LONGEST: Duration = Duration::from_secs(30);

/// A part of a page with the id of its element.
pub(super) type Fragment = (&'static str, Markup);

/// The parts of a page that change while it is open.
pub(super) trait Live: Send + Sync + 'static {
    /// Makes them, as the page does, with the rights that the caller has now.
    fn fragments(&self, app: &App, caller: &Caller) -> impl Future<Output = Result<Vec<Fragment>>> + Send;

    /// A number that changes when the fragments do, for what is not the start or the end of a run.
    fn pulse(&self, _app: &App) -> impl Future<Output = Result<i64>> + Send {
        async { Ok(0) }
    }
}

struct Sender<L> {
    app: Arc<App>,
    caller: Caller,
    page: L,
    /// What was last sent, by id.
    sent: HashMap<&'static str, String>,
    seen: Option<(store::run::Activity, i64, Instant)>,
    is_over: bool,
}

/// The events of a page.
pub(super) fn events<L: Live>(app: &Arc<App>, viewer: Viewer, page: L) -> Response {
    let sender =
        Sender { app: Arc::clone(app), caller: viewer.caller, page, sent: HashMap::new(), seen: None, is_over: false };
    let events = stream::unfold(sender, |mut sender| async move {
        if sender.is_over {
            return None;
        }
        let text = match sender.next().await {
            Ok(text) => text,
            Err(error) => {
                if lost(&error).is_none() {
                    tracing::warn!(?error, "the events of a page end early");
                    return None;
                }
                sender.is_over = true;
                // The browser does not open it again.
                "event: end\ndata: {}\n\n".to_owned()
            }
        };
        Some((Ok::<_, std::io::Error>(text), sender))
    });
    Response::builder()
        .content_type("text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(events))
}

impl<L: Live> Sender<L> {
    /// The next events, or a comment that keeps the connection open.
    async fn next(&mut self) -> Result<String> {
        let begun = Instant::now();
        loop {
            self.caller = self.app.authenticator.again(&self.caller).await?;
            let pulse = self.app.activity.read(&self.app.db, SHARED).await?;
            let own = self.page.pulse(&self.app).await?;
            let is_same =
                |(seen, before, at): &(_, _, Instant)| *seen == pulse && *before == own && at.elapsed() < LONGEST;
            let is_new = !self.seen.as_ref().is_some_and(is_same);
            if is_new {
                let events = self.changed().await?;
                self.seen = Some((pulse, own, Instant::now()));
                if !events.is_empty() {
                    return Ok(events);
                }
            }
            if begun.elapsed() >= LONGEST / 2 {
                return Ok(": open\n\n".to_owned());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn changed(&mut self) -> Result<String> {
        let mut events = String::new();
        for (id, markup) in self.page.fragments(&self.app, &self.caller).await? {
            let html = markup.into_string();
            if self.sent.get(id) == Some(&html) {
                continue;
            }
            let data = serde_json::json!({ "id": id, "html": html });
            events.push_str(&format!("event: fragment\ndata: {data}\n\n"));
            self.sent.insert(id, html);
        }
        Ok(events)
    }
}
