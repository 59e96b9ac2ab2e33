//! Creates environments: new ones, and copies. Callers have checked that the requester may.

use chrono::SecondsFormat;
use entity::environment::{self, Mode};
use entity::id::{ClusterId, EnvironmentId, ProjectId};
use entity::{cluster, project, project_rule};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::audit::{self, Change};
use super::copy_environment::{RuleOfCopy, TAKEN, copy_environment};
use super::default_rule::first_rule;
use super::requester::Requester;
use super::{limits, wildcard};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store;

/// An environment that somebody asks for, with what follows from its name.
pub struct NewEnvironment {
    pub(super) name: String,
    pub mode: Mode,
    pub(super) cluster: Option<cluster::Model>,
    /// The rule of the project that its name matches.
    pub(super) rule: Option<project_rule::Model>,
}

impl NewEnvironment {
    /// Settles what was left open: by the first rule of the project that the name matches, and otherwise by the defaults.
    ///
    /// # Errors
    /// `Invalid` if the name is; database errors.
    pub async fn of(
        app: &App,
        project: &project::Model,
        name: &str,
        cluster: Option<ClusterId>,
        mode: Option<Mode>,
    ) -> Result<Self> {
        let name = limits::name("name", name)?;
        let rules = store::project_rule::list_by_project(&app.db, project.id).await?;
        let rule = rules.into_iter().find(|row| wildcard::matches(&row.wildcard, &name));
        let mode = mode.or(rule.as_ref().map(|row| row.mode)).unwrap_or(Mode::Development);
        let wanted = cluster.or(rule.as_ref().map(|row| row.cluster_id));
        let mut clusters = store::cluster::list_by_organization(&app.db, project.organization_id).await?.into_iter();
        let cluster = match wanted {
            Some(id) => clusters.find(|row| row.id == id),
            None => clusters.next(),
        };
        Ok(Self { name, mode, cluster, rule })
    }

    /// The cluster; nil if there is none.
    #[must_use]
    pub fn cluster_id(&self) -> ClusterId {
        self.cluster.as_ref().map_or(ClusterId(uuid::Uuid::nil()), |row| row.id)
    }
}

/// Stores a new environment with the default stages, and returns it with the name of its cluster.
///
/// # Errors
/// `Invalid` if the organization has no such cluster; `Conflict` if the name is taken; database errors.
pub async fn create(
    app: &App,
    by: &Requester,
    project: &project::Model,
    new: NewEnvironment,
) -> Result<(environment::Model, String)> {
    let NewEnvironment { name, mode, cluster, rule } = new;
    let cluster = cluster.ok_or_else(|| Error::invalid("cluster", "is not a cluster of this organization"))?;
    let row = environment::Model::new(project, cluster.id, name, mode, app.clock.now());
    let row =
        store::write(&app.db, async |tx| create_in(app, by, tx, row, (&cluster, rule.as_ref(), true)).await).await?;
    Ok((row, cluster.name))
}

/// Stores a new environment in a transaction of the caller, with the default stages unless the caller stores others.
///
/// # Errors
/// `Conflict` if the name is taken; database errors.
pub async fn create_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    row: environment::Model,
    (cluster, rule, default_stages): (&cluster::Model, Option<&project_rule::Model>, bool),
) -> Result<environment::Model> {
    let row = store::environment::create(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    if default_stages {
        store::stage::create_defaults(tx, row.id, row.created_at).await?;
    }
    if let Some(from) = rule {
        store::row::create(tx, first_rule(&row, from)).await?;
    }
    let change = Change::create("ENVIRONMENT", row.id.0, &row.name).of_environment(&row);
    let change = change.after(&recorded(&row, &cluster.name));
    audit::record(app, by, row.organization_id, tx, change).await?;
    Ok(row)
}

/// Where and as what an environment is copied.
pub struct Copy {
    pub name: String,
    pub project: Option<ProjectId>,
    pub cluster: Option<ClusterId>,
    pub mode: Option<Mode>,
    pub rule: RuleOfCopy,
}

/// The cluster and the mode of a copy.
///
/// # Errors
/// `Invalid` if the organization has no such cluster, or if the project belongs to another one; database errors.
pub async fn place_of_copy(
    app: &App,
    source: &environment::Model,
    project: &project::Model,
    copy: &Copy,
) -> Result<(cluster::Model, Mode)> {
    if project.organization_id != source.organization_id {
        return Err(Error::invalid("project_id", "belongs to another organization"));
    }
    let cluster = store::cluster::by_id(&app.db, copy.cluster.unwrap_or(source.cluster_id)).await?;
    let cluster = cluster.filter(|row| row.organization_id == source.organization_id);
    let cluster = cluster.ok_or_else(|| Error::invalid("cluster_id", "is not a cluster of this organization"))?;
    Ok((cluster, copy.mode.unwrap_or(source.mode)))
}

/// Stores a copy of an environment at its place.
///
/// # Errors
/// `Invalid` if the name is, or if a job cannot run on the cluster; `Conflict` if it is taken; database errors.
pub async fn copy(
    app: &App,
    by: &Requester,
    source: &environment::Model,
    project: &project::Model,
    (cluster, mode): (cluster::Model, Mode),
    wanted: Copy,
) -> Result<(environment::Model, String)> {
    let name = limits::name("name", &wanted.name)?;
    let copy = environment::Model::new(project, cluster.id, name, mode, app.clock.now());
    audit::write(app, by, source.organization_id, async |tx| {
        copy_environment(app, tx, source, (&copy, &cluster), wanted.rule).await?;
        let change = Change::new("CLONE", "ENVIRONMENT", copy.id.0, &copy.name).of_environment(&copy);
        let change = change.after(&recorded(&copy, &cluster.name));
        Ok(((copy, cluster.name), change))
    })
    .await
}

/// An environment as events record it: under the names of the official API.
fn recorded(row: &environment::Model, cluster: &str) -> Value {
    let at = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({
        "id": row.id, "created_at": at(row.created_at), "updated_at": at(row.updated_at), "name": row.name,
        "organization": {"id": row.organization_id}, "project": {"id": row.project_id},
        "cloud_provider": {"provider": "ON_PREMISE", "cluster": cluster}, "mode": row.mode,
        "cluster_id": row.cluster_id, "cluster_name": cluster,
    })
}

/// Changes the name or the mode of an environment.
///
/// # Errors
/// `Invalid` if the name is; `Conflict` if it is taken; database errors.
pub async fn edit(
    app: &App,
    by: &Requester,
    id: EnvironmentId,
    name: Option<&str>,
    mode: Option<Mode>,
) -> Result<environment::Model> {
    let name = name.map(|name| limits::name("name", name)).transpose()?;
    store::write(&app.db, async |tx| {
        let mut row = store::environment::lock(tx, id).await?.ok_or(Error::NotFound("environment"))?;
        let before = recorded(&row, "");
        if let Some(name) = name {
            row.name_key = entity::name_key(&name);
            row.name = name;
        }
        row.mode = mode.unwrap_or(row.mode);
        update_in(app, by, tx, row, &before).await
    })
    .await
}

/// Changes the mode of an environment in a transaction of the caller.
///
/// # Errors
/// Database errors.
pub async fn change_mode(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    row: environment::Model,
    mode: Mode,
) -> Result<environment::Model> {
    let before = recorded(&row, "");
    update_in(app, by, tx, environment::Model { mode, ..row }, &before).await
}

async fn update_in(
    app: &App,
    by: &Requester,
    tx: &DatabaseTransaction,
    row: environment::Model,
    before: &Value,
) -> Result<environment::Model> {
    let row = environment::Model { updated_at: app.clock.now(), ..row };
    let row = store::environment::update(tx, row).await.map_err(|e| Error::or_taken(e, TAKEN))?;
    let change = Change::update("ENVIRONMENT", row.id.0, &row.name).of_environment(&row);
    audit::record(app, by, row.organization_id, tx, change.before(before).after(&recorded(&row, ""))).await?;
    Ok(row)
}
