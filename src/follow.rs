//! The lines of a run as a stream, for as long as the caller may read them.

use std::sync::Arc;
use std::time::Duration;

use entity::id::RunId;
use futures_util::{Stream, stream};

use crate::access::read_guard::{Guard, Permit, lost};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;
use crate::store::log_chunk::LogLine;

/// How often a followed log is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long the connection stays open after the last piece of a log that was cut off, so that the client receives it.
const FAREWELL: Duration = Duration::from_millis(100);

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Stop after the existing lines.
    Off,
    /// Go on until the run ends.
    UntilEnd,
}

/// A part of a log.
#[derive(Clone, Debug)]
pub enum Piece {
    Lines(Vec<LogLine>),
    /// The caller lost the right to read on. After this piece the response ends with an error, so that it does not look complete.
    Cut(&'static str),
}

struct Reader<P> {
    app: Arc<App>,
    guard: Guard<P>,
    run: RunId,
    position: i64,
    follow: Follow,
    is_cut: bool,
}

/// The lines of a run after a position.
pub fn lines<P: Permit>(
    app: Arc<App>,
    guard: Guard<P>,
    (run, after): (RunId, i64),
    follow: Follow,
) -> impl Stream<Item = std::io::Result<Piece>> + Send + 'static {
    let reader = Reader { app, guard, run, position: after, follow, is_cut: false };
    stream::try_unfold(reader, move |mut reader| async move {
        if reader.is_cut {
            tokio::time::sleep(FAREWELL).await;
            return Err(std::io::Error::other("the log was cut off"));
        }
        match reader.next().await {
            Ok(Some(piece)) => Ok(Some((piece, reader))),
            Ok(None) => Ok(None),
            Err(error) => {
                let Some(reason) = lost(&error) else {
                    tracing::warn!(%run, ?error, "the log of a run ends early");
                    return Err(std::io::Error::other("the log is incomplete"));
                };
                reader.is_cut = true;
                Ok(Some((Piece::Cut(reason), reader)))
            }
        }
    })
}

impl<P: Permit> Reader<P> {
    /// The next lines; none if there will be no more.
    async fn next(&mut self) -> Result<Option<Piece>, Error> {
        loop {
            self.guard.check(&self.app.authenticator).await?;
            // Read the state before the lines: lines written in between belong to a run that had not ended.
            let row = store::run::by_id(&self.app.db, self.run).await?;
            let lines = store::log_chunk::list_by_run(&self.app.db, self.run, self.position).await?;
            if let Some(last) = lines.last().map(|line| line.position) {
                self.position = last;
                return Ok(Some(Piece::Lines(lines)));
            }
            if self.follow == Follow::Off || row.is_none_or(|row| row.state.is_final()) {
                return Ok(None);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
