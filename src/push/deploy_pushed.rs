//! Polls the branches that jobs with auto-deploy are built from. A new commit deploys the jobs that it concerns.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::deployment::Origin;
use entity::id::{EnvironmentId, OrganizationId, RepositoryHeadId};
use entity::job;
use entity::job_spec::GitRepository;
use entity::repository_head::Model;
use futures_util::StreamExt as _;
use sea_orm::DatabaseTransaction;

use crate::app::App;
use crate::engine::command::{self, JobTarget};
use crate::engine::push::auto_deployed::{followed, is_concerned};
use crate::engine::requester::Requester;
use crate::error::{Error, Result};
use crate::git::{self, Checkout, Since};
use crate::liveness::passes::Pass;
use crate::store;

/// Branches that are claimed at once, and how many of them are polled at the same time.
const BATCH: u64 = 16;
const AT_ONCE: usize = 4;
/// How long a claimed branch is reserved for this server: longer than all calls of git for one take.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// The most jobs that one look for branches reads.
const MOST_JOBS: usize = 10_000;
/// The most branches of an organization that are known to be stored; others are stored again, which changes nothing.
const MOST_HEADS: u64 = 10_000;
/// Who deploys, in events and in the history.
const NAME: &str = "auto-deploy";

/// The jobs that are deployed, by environment.
type Targets = BTreeMap<EnvironmentId, Vec<JobTarget>>;

/// Remembers the branches of all jobs with auto-deploy, so that they are polled.
///
/// # Errors
/// Database errors.
pub async fn find_heads(app: &App, now: DateTime<Utc>) -> Result<()> {
    if app.config.auto_deploy_seconds == 0 {
        return Ok(());
    }
    let mut wanted: BTreeSet<(OrganizationId, String, String)> = BTreeSet::new();
    for job in jobs(app, |_| true).await? {
        if let Some(repository) = followed(&job) {
            wanted.insert((job.organization_id, repository.url.clone(), branch_of(repository)));
        }
    }
    let mut known: BTreeSet<(OrganizationId, String, String)> = BTreeSet::new();
    for id in wanted.iter().map(|(id, ..)| *id).collect::<BTreeSet<_>>() {
        let heads = store::push::list_heads(&app.db, id, MOST_HEADS).await?;
        known.extend(heads.into_iter().map(|row| (row.organization_id, row.url, row.branch)));
    }
    for (organization_id, url, branch) in wanted.difference(&known).cloned() {
        let row = Model {
            id: RepositoryHeadId::create(),
            organization_id,
            url,
            branch,
            commit_id: None,
            next_poll_at: now,
            asked_at: None,
            claimed_until: None,
            updated_at: now,
            error: None,
        };
        store::write(&app.db, async |tx| store::push::add_head(tx, row.clone()).await.map_err(Error::from)).await?;
    }
    Ok(())
}

fn branch_of(repository: &GitRepository) -> String {
    repository.branch.clone().unwrap_or_default()
}

/// The jobs with auto-deploy that satisfy a condition.
async fn jobs(app: &App, is_wanted: impl Fn(&job::Model) -> bool) -> Result<Vec<job::Model>> {
    let (mut found, mut after, mut read) = (Vec::new(), None, 0);
    while read < MOST_JOBS {
        let page = store::push::list_auto_deployed(&app.db, after, store::PAGE).await?;
        let Some(last) = page.last() else { break };
        (after, read) = (Some(last.id), read + page.len());
        found.extend(page.into_iter().filter(|job| is_wanted(job)));
    }
    Ok(found)
}

/// Polls the branches that are due, or that a push was delivered for. Returns their number.
///
/// # Errors
/// Database errors.
pub async fn deploy_pushed(app: &App, now: DateTime<Utc>) -> Result<usize> {
    let due = store::write(&app.db, async |tx| {
        store::push::claim_heads(tx, now, now + LEASE, BATCH).await.map_err(Error::from)
    })
    .await?;
    let count = due.len();
    futures_util::stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |row| {
            let id = row.id;
            // The branch is due again when its lease ends.
            if let Err(error) = one(app, row).await {
                tracing::error!(head = %id, ?error, "a branch of jobs with auto-deploy could not be polled; will retry");
                app.metrics.row_failed(Pass::Pushes.name());
            }
        })
        .await;
    Ok(count)
}

async fn one(app: &App, row: Model) -> Result<()> {
    let is_of = |job: &job::Model| {
        job.organization_id == row.organization_id
            && followed(job).is_some_and(|of| of.url == row.url && branch_of(of) == row.branch)
    };
    let jobs = jobs(app, is_of).await?;
    let seconds = app.config.auto_deploy_seconds;
    // Any of the jobs may have the token with which the repository is read.
    let first = jobs.iter().find(|job| job.git_token_id.is_some()).or(jobs.first()).and_then(followed);
    let Some(first) = first.filter(|_| seconds > 0) else {
        return store::write(&app.db, async |tx| store::push::delete_head(tx, row.id).await.map_err(Error::from)).await;
    };
    let (found, targets) = match repository(app, &row, first).await? {
        Ok(repository) => match git::head(&repository).await {
            Ok(commit) => {
                let targets = targets(app, &row, (&repository, &commit), &jobs).await?;
                (Ok(commit), targets)
            }
            Err(reason) => (Err(reason), Targets::new()),
        },
        Err(reason) => (Err(reason), Targets::new()),
    };
    let now = app.clock.now();
    let next = now + TimeDelta::seconds(jittered(seconds.into(), row.id, now));
    let asked = !targets.is_empty();
    store::write(&app.db, async |tx| {
        // In one transaction, so that a server that is killed deploys a commit neither never nor twice.
        let known = store::push::lock_head(tx, row.id).await?;
        if known.is_none_or(|known| known.commit_id != row.commit_id) {
            return Ok::<_, Error>(());
        }
        for (environment, targets) in targets {
            deploy(tx, environment, targets, now).await?;
        }
        Ok(store::push::keep_head(tx, row.id, found, (next, now)).await?)
    })
    .await?;
    if asked {
        app.wake.now();
    }
    Ok(())
}

/// The interval, give or take a tenth, so that many branches are not polled at once.
fn jittered(seconds: i64, id: RepositoryHeadId, now: DateTime<Utc>) -> i64 {
    let [.., last] = id.0.into_bytes();
    let spread = (seconds / 5).max(1);
    seconds - spread / 2 + (i64::from(last) + now.timestamp()).rem_euclid(spread)
}

/// The repository with its login. The inner error says why it cannot be read.
async fn repository(app: &App, row: &Model, of: &GitRepository) -> Result<Result<Checkout, String>> {
    let login = match git::login::of_repository(app, row.organization_id, of).await? {
        Ok(login) => login,
        Err(refused) => return Ok(Err(refused.to_string())),
    };
    Ok(Ok(Checkout {
        url: of.url.clone(),
        branch: of.branch.clone(),
        commit: None,
        submodules: false,
        login,
        key: None,
        local: app.config.local_repositories,
    }))
}

/// The jobs that a new commit concerns, by environment. The first poll only remembers the commit.
async fn targets(
    app: &App,
    row: &Model,
    (repository, commit): (&Checkout, &str),
    jobs: &[job::Model],
) -> Result<Targets> {
    let mut targets = Targets::new();
    let Some(before) = row.commit_id.as_deref().filter(|before| *before != commit) else { return Ok(targets) };
    let paths = git::changed_paths(repository, Since::Commit(before), commit).await;
    if let Err(reason) = &paths {
        tracing::warn!(head = %row.id, reason, "all paths of a push count as changed, because they cannot be read");
    }
    for job in jobs {
        let Some(of) = followed(job) else { continue };
        let restrictions = store::restriction::list(&app.db, job.id).await?;
        if paths.as_ref().is_ok_and(|paths| !is_concerned(&of.root_path, &restrictions, paths)) {
            continue;
        }
        let target = JobTarget { commit: Some(commit.to_owned()), ..JobTarget::from(job.clone()) };
        targets.entry(job.environment_id).or_default().push(target);
    }
    Ok(targets)
}

async fn deploy(
    tx: &DatabaseTransaction,
    environment: EnvironmentId,
    targets: Vec<JobTarget>,
    now: DateTime<Utc>,
) -> Result<()> {
    let by = Requester { name: NAME.into(), email: None, origin: Origin::Api, user_agent: None };
    match command::deploy_selected_in(tx, &by, environment, targets, now).await? {
        Some(_) => tracing::info!(%environment, "a push deploys jobs with auto-deploy"),
        None => tracing::info!(%environment, "a push deploys nothing: all jobs that it concerns are being deleted"),
    }
    Ok(())
}
