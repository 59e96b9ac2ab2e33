//! Says what a declaration would change, and changes it.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::compare::compare;
use super::declared_place::Target;
use super::step::Step;
use super::wanted::WantedEnvironment;
use super::write_step;
use super::written_so_far::Written;
use crate::app::App;
use crate::engine::command;
use crate::engine::environment_rows;
use crate::engine::export::Exported;
use crate::engine::requester::Requester;
use crate::engine::{new_environment, new_project};
use crate::error::{Error, Result};
use crate::store;

/// What would be done.
///
/// # Errors
/// `Invalid` if what is declared does not fit what is stored; database errors.
pub async fn preview(app: &App, target: &Target, wanted: &WantedEnvironment) -> Result<Vec<Step>> {
    compare(&app.keys, &stored(&app.db, target, wanted).await?, wanted, app.clock.now())
}

/// Stores what is declared in one transaction, and returns what was done.
///
/// # Errors
/// The same; `Conflict` while the environment is being deleted, or if somebody else creates the same at the same time.
pub async fn apply(app: &App, by: &Requester, target: &Target, wanted: &WantedEnvironment) -> Result<Vec<Step>> {
    let (steps, settled) = store::write(&app.db, async |tx| {
        create_target(app, by, tx, target, wanted).await?;
        let environment = command::lock_for_addition(tx, target.environment.id).await?;
        if target.mode_before.is_some_and(|before| before != target.environment.mode) {
            new_environment::change_mode(app, by, tx, environment, target.environment.mode).await?;
        }
        // A value that is not declared is the one that is stored then.
        store::variable::lock_all(tx, target.project.id, target.environment.id).await?;
        let stored = stored(tx, target, wanted).await?;
        let now = app.clock.now();
        let steps = compare(&app.keys, &stored, wanted, now)?;
        let mut written = Written::new(app, by, &stored, now);
        for step in &steps {
            write_step::write(&mut written, tx, step).await?;
        }
        let settled = written.finish(tx).await?;
        Ok::<_, Error>((steps, settled))
    })
    .await?;
    settled.report(app);
    app.wake.now();
    Ok(steps)
}

/// Stores a project and an environment that are new.
async fn create_target(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    target: &Target,
    wanted: &WantedEnvironment,
) -> Result<()> {
    if target.project_is_new {
        new_project::create_in(app, by, tx, target.project.clone()).await?;
    }
    if target.environment_is_new {
        let (row, rule) = (target.environment.clone(), target.rule.as_ref());
        new_environment::create_in(app, by, tx, row, (&target.cluster, rule, wanted.stages.is_none())).await?;
    }
    Ok(())
}

/// The rows of the environment. Those of a new one are its default stages, unless others are declared.
async fn stored(db: &impl ConnectionTrait, target: &Target, wanted: &WantedEnvironment) -> Result<Exported> {
    let environment = target.environment.clone();
    if store::environment::by_id(db, environment.id).await?.is_some() {
        return environment_rows::load(db, environment).await;
    }
    let stages = match wanted.stages {
        Some(_) => Vec::new(),
        None => store::stage::defaults(environment.id, environment.created_at),
    };
    Ok(Exported {
        cluster: target.cluster.clone(),
        stages,
        registries: Vec::new(),
        variables: store::variable::list(db, target.project.id, None, None).await?,
        project: target.project.clone(),
        environment,
        jobs: Vec::new(),
        checks: Vec::new(),
        groups: Vec::new(),
    })
}
