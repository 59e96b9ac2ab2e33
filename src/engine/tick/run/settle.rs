//! Reads and stores what the visits of several runs need at the same moment, together: what a single row costs is mostly its way to the
//! database and back.

use std::collections::HashMap;

use entity::id::{JobId, RunId};
use entity::{log_chunk, run};
use sea_orm::DatabaseTransaction;

use super::log_copy::append;
use crate::app::App;
use crate::engine::ended_run::{follow_up, follow_up_all};
use crate::error::{Error, Result};
use crate::store;
use crate::store::job::RunSubject;
use crate::store::run::{Advanced, Expected, Follows, HandOverRequest, RunEnding};

/// What the run of a job is started from.
pub(super) async fn subject(app: &App, job: JobId) -> Result<Option<Box<RunSubject>>> {
    app.subjects.ask(job, |jobs| subjects(app, jobs)).await
}

async fn subjects(app: &App, jobs: Vec<JobId>) -> Vec<Result<Option<Box<RunSubject>>>> {
    let all = async {
        let found = store::job::run_subjects(&app.db, &jobs).await?;
        Ok(jobs.iter().map(|job| found.iter().find(|subject| subject.job.id == *job).cloned()).collect())
    };
    if let Some(answers) = all_at_once(jobs.len(), all).await {
        return answers;
    }
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(store::job::run_subject(&app.db, job).await.map_err(Error::from));
    }
    answers
}

/// Records where a run is about to be started; false if its owner must not start it.
pub(super) async fn hand_over(app: &App, request: HandOverRequest) -> Result<bool> {
    app.hand_overs.ask(request, |requests| hand_over_all(app, requests)).await
}

async fn hand_over_all(app: &App, requests: Vec<HandOverRequest>) -> Vec<Result<bool>> {
    let all = async {
        let done = store::write(&app.db, async |tx| store::run::hand_over_all(tx, &requests).await).await?;
        Ok(requests.iter().map(|one| done.contains(&one.id)).collect())
    };
    if let Some(answers) = all_at_once(requests.len(), all).await {
        return answers;
    }
    let mut answers = Vec::with_capacity(requests.len());
    for HandOverRequest { id, owner, to } in requests {
        let done = store::write_one(&app.db, async |db| store::run::hand_over(&db, id, owner, to.clone()).await);
        answers.push(done.await.map_err(Error::from));
    }
    answers
}

/// Stores the end of a run that leaves nothing but its log; false if another server changed the run first.
pub(super) async fn end(app: &App, request: RunEnding) -> Result<bool> {
    app.endings.ask(request, |requests| end_all(app, requests)).await
}

async fn end_all(app: &App, requests: Vec<RunEnding>) -> Vec<Result<bool>> {
    let all = async {
        let ended = store::write(&app.db, async |tx| end_together(app, tx, &requests).await).await?;
        Ok(requests.iter().map(|one| ended.contains_key(&one.row.id)).collect())
    };
    if let Some(answers) = all_at_once(requests.len(), all).await {
        return answers;
    }
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(store::write(&app.db, async |tx| end_one(app, tx, request.clone()).await).await);
    }
    answers
}

async fn end_together(app: &App, tx: &DatabaseTransaction, requests: &[RunEnding]) -> Result<HashMap<RunId, Follows>> {
    let ended = store::run::advance_all(tx, requests).await?;
    let all: Vec<(&RunEnding, Follows)> =
        requests.iter().filter_map(|one| Some((one, *ended.get(&one.row.id)?))).collect();
    let chunks = all.iter().map(|(one, _)| (&one.row, one.chunks.clone()));
    append_all(app, tx, chunks.collect()).await?;
    let Some(now) = all.iter().map(|(one, _)| one.row.updated_at).max() else { return Ok(ended) };
    let all: Vec<(&run::Model, Follows)> = all.into_iter().map(|(one, follows)| (&one.row, follows)).collect();
    follow_up_all(app, tx, &all, now).await?;
    Ok(ended)
}

/// Stores the last lines of several runs.
async fn append_all(app: &App, tx: &DatabaseTransaction, all: Vec<(&run::Model, Vec<log_chunk::Model>)>) -> Result<()> {
    let (large, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(run, _)| run.log_mark.is_some());
    store::log_chunk::append(tx, others.into_iter().flat_map(|(_, chunks)| chunks).collect()).await?;
    for (run, chunks) in large {
        append(app, tx, run, chunks, run.updated_at).await?;
    }
    Ok(())
}

async fn end_one(app: &App, tx: &DatabaseTransaction, request: RunEnding) -> Result<bool> {
    let RunEnding { owner, row, chunks } = request;
    let expected = Expected { state: run::RunState::Running, owner };
    advance(app, tx, (&row, expected), chunks).await
}

/// Stores a changed run, the last lines of its log, and what follows from its end if that is the change; false if another server
/// changed the run first.
pub(super) async fn advance(
    app: &App,
    tx: &DatabaseTransaction,
    (run, expected): (&run::Model, Expected),
    chunks: Vec<log_chunk::Model>,
) -> Result<bool> {
    let Advanced::Yes(follows) = store::run::advance(tx, expected, run.clone()).await? else { return Ok(false) };
    append(app, tx, run, chunks, run.updated_at).await?;
    if run.state.is_final() {
        follow_up(app, tx, (run, follows), run.updated_at).await?;
    }
    Ok(true)
}

/// The answers to several requests; none if they have to be carried out one by one: a fault may be that of one of them, which the
/// others do not share. Only if the database cannot be used now, each of them would notice that after a while.
async fn all_at_once<A>(count: usize, all: impl Future<Output = Result<Vec<A>>>) -> Option<Vec<Result<A>>> {
    if count < 2 {
        return None;
    }
    match all.await {
        Ok(answers) => Some(answers.into_iter().map(Ok).collect()),
        Err(Error::Unavailable { reason, source }) => {
            let text = source.to_string();
            Some((0..count).map(|_| Err(Error::unavailable(reason.clone(), text.clone()))).collect())
        }
        Err(error) => {
            tracing::info!(?error, "rows that belong to several runs are read or stored one by one");
            None
        }
    }
}
