//! Lists of jobs, sent page by page.

use std::collections::HashSet;
use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use futures_util::{Stream, stream};

use super::super::wire::{Results, Streamed};
use super::response::JobResponse;
use crate::app::App;
use crate::engine::deployment::is_outdated;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::Cursor;

/// All jobs of an environment.
pub(in super::super) fn all(app: &Arc<App>, environment: EnvironmentId) -> Streamed<Results<JobResponse>> {
    list(app, environment, Wanted::All)
}

/// Jobs of an environment.
pub(in super::super) fn list(
    app: &Arc<App>,
    environment: EnvironmentId,
    wanted: Wanted,
) -> Streamed<Results<JobResponse>> {
    Streamed::new(pages(Arc::clone(app), environment, wanted))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Wanted {
    All,
    /// Those whose configuration is not what is deployed.
    ToUpdate,
}

/// The pieces of a list of jobs: a page of rows each, so that a long list needs no more memory than a short one.
fn pages(
    app: Arc<App>,
    environment: EnvironmentId,
    wanted: Wanted,
) -> impl Stream<Item = Result<Vec<u8>>> + Send + 'static {
    enum Position {
        Begin,
        After(Cursor),
        End,
    }
    stream::try_unfold((app, Position::Begin, true), move |(app, position, mut first)| async move {
        let (mut piece, after) = match position {
            Position::End => return Ok(None),
            Position::Begin => (b"{\"results\":[".to_vec(), None),
            Position::After(place) => (Vec::new(), Some(place)),
        };
        let views = store::job::list_views_by_environment(&app.db, environment, after, store::PAGE).await?;
        let outdated = match wanted {
            Wanted::All => None,
            Wanted::ToUpdate => Some(outdated(&app, environment, after).await?),
        };
        let last = views.last().map(|view| (view.created_at, view.id));
        for view in views {
            if outdated.as_ref().is_some_and(|ids| !ids.contains(&view.id)) {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                piece.push(b',');
            }
            serde_json::to_writer(&mut piece, &JobResponse::from(view)).map_err(Error::internal)?;
        }
        let next = match last {
            Some(place) => Position::After(place),
            None => {
                piece.extend_from_slice(b"]}");
                Position::End
            }
        };
        Ok(Some((piece, (app, next, first))))
    })
}

async fn outdated(app: &App, environment: EnvironmentId, after: Option<Cursor>) -> Result<HashSet<JobId>> {
    let rows = store::job::list_by_environment(&app.db, environment, after, store::PAGE).await?;
    Ok(rows.into_iter().filter(is_outdated).map(|row| row.id).collect())
}
