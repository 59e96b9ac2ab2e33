//! Lists of jobs, sent page by page.

use std::collections::HashSet;
use std::sync::Arc;

use entity::id::{EnvironmentId, JobId};
use futures_util::{Stream, stream};

use super::response::JobResponse;
use crate::api::wire::{JsonStream, Results};
use crate::app::App;
use crate::engine::deployment::is_outdated;
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::Cursor;

/// Jobs of an environment.
pub(in crate::api) fn list(
    app: &Arc<App>,
    environment: EnvironmentId,
    filter: JobFilter,
) -> JsonStream<Results<JobResponse>> {
    JsonStream::new(pages(Arc::clone(app), environment, filter))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum JobFilter {
    All,
    /// Jobs whose configuration differs from the deployed one.
    OutOfDate,
}

/// The chunks of a job list, one page of rows each, so that memory use does not grow with the list.
fn pages(
    app: Arc<App>,
    environment: EnvironmentId,
    filter: JobFilter,
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
        let outdated = match filter {
            JobFilter::All => None,
            JobFilter::OutOfDate => Some(outdated(&app, environment, after).await?),
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
