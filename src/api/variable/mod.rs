//! Variables and secrets: the shared body of all families, over one table.
//!
//! A scope sees its own variables, those of wider scopes, and the built-in ones, which have no row.

pub(super) mod family;
mod import;
mod schema;
pub(super) mod unified;

use entity::job_spec;
use std::collections::HashMap;

use entity::id::{EnvironmentId, JobId, OrganizationId, ProjectId, VariableId};
use entity::variable::{Model, VariableKind};
use entity::{environment, job, project};
use poem_openapi::types::MaybeUndefined;
use uuid::Uuid;

use self::schema::{
    APIVariableScopeEnum, EnvironmentVariableEditRequest, EnvironmentVariableRequest, VariableResponse,
};
use super::audit::{self, Change};
use super::caller::Auth;
use super::limits;
use crate::access::{self, Action};
use crate::app::App;
use crate::engine::deployment::events;
use crate::engine::variables::{Listed, ListedEnvironment, ListedJob, listed};
use crate::error::{Error, Result};
use crate::secret;
use crate::store;

/// The longest key, in characters.
const KEY: usize = 255;
/// The longest description, in characters (official limit).
const DESCRIPTION: usize = 255;
/// The longest path of a file, in characters.
const PATH: usize = 1024;

const HIERARCHY: &str =
    "scopes go PROJECT > ENVIRONMENT > JOB; it can only be made in the scope of its target or a narrower one";

/// Whose variables they are: a project, an environment of it, or a job of that.
pub(super) struct Parent {
    organization: OrganizationId,
    project: project::Model,
    environment: Option<environment::Model>,
    job: Option<job::Model>,
    /// The names of the jobs of the environment that have left outputs.
    leaving: HashMap<JobId, String>,
}

impl Parent {
    pub(super) async fn of_project(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let project = access::project(&app.db, &auth.0, action, ProjectId(id)).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: None,
            job: None,
            leaving: HashMap::new(),
        })
    }

    pub(super) async fn of_environment(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let environment = access::environment(&app.db, &auth.0, action, EnvironmentId(id)).await?;
        let project = store::project::by_id(&app.db, environment.project_id).await?;
        let project = project.ok_or(Error::NotFound("environment"))?;
        let leaving = store::variable::names_with_outputs(&app.db, environment.id).await?;
        Ok(Self { organization: project.organization_id, project, environment: Some(environment), job: None, leaving })
    }

    pub(super) async fn of_job(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<Self> {
        let job = access::job_row(&app.db, &auth.0, action, JobId(id)).await?;
        let environment =
            store::environment::by_id(&app.db, job.environment_id).await?.ok_or(Error::NotFound("job"))?;
        let project = store::project::by_id(&app.db, environment.project_id).await?.ok_or(Error::NotFound("job"))?;
        let leaving = store::variable::names_with_outputs(&app.db, environment.id).await?;
        Ok(Self {
            organization: project.organization_id,
            project,
            environment: Some(environment),
            job: Some(job),
            leaving,
        })
    }

    /// The parent that a request names by a scope and an id.
    async fn named(
        app: &App,
        auth: &Auth,
        action: Action,
        (field, scope): (&str, APIVariableScopeEnum),
        id: Uuid,
    ) -> Result<Self> {
        match scope {
            APIVariableScopeEnum::Project => Self::of_project(app, auth, action, id).await,
            APIVariableScopeEnum::Environment => Self::of_environment(app, auth, action, id).await,
            APIVariableScopeEnum::Job => Self::of_job(app, auth, action, id).await,
            _ => Err(Error::invalid(field, "is PROJECT, ENVIRONMENT or JOB on this server")),
        }
    }

    /// The parent of a stored variable.
    async fn of_row(app: &App, auth: &Auth, action: Action, row: &Model) -> Result<Self> {
        match (row.job_id, row.environment_id, row.project_id) {
            (Some(id), _, _) => Self::of_job(app, auth, action, id.0).await,
            (None, Some(id), _) => Self::of_environment(app, auth, action, id.0).await,
            (None, None, Some(id)) => Self::of_project(app, auth, action, id.0).await,
            (None, None, None) => Err(Error::NotFound("variable")),
        }
    }

    fn scope(&self) -> APIVariableScopeEnum {
        match (&self.environment, &self.job) {
            (_, Some(_)) => APIVariableScopeEnum::Job,
            (Some(_), None) => APIVariableScopeEnum::Environment,
            (None, None) => APIVariableScopeEnum::Project,
        }
    }

    fn owns(&self, row: &Model) -> bool {
        match self.scope() {
            APIVariableScopeEnum::Job => row.job_id.is_some() && row.job_id == self.job.as_ref().map(|job| job.id),
            APIVariableScopeEnum::Environment => {
                row.environment_id.is_some() && row.environment_id == self.environment.as_ref().map(|row| row.id)
            }
            _ => row.project_id == Some(self.project.id),
        }
    }

    /// An empty row of this scope.
    fn row(&self, key: String, kind: VariableKind, now: chrono::DateTime<chrono::Utc>) -> Model {
        let scope = self.scope();
        let is = |wanted: APIVariableScopeEnum| scope == wanted;
        Model {
            project_id: Some(self.project.id).filter(|_| is(APIVariableScopeEnum::Project)),
            environment_id: self
                .environment
                .as_ref()
                .map(|row| row.id)
                .filter(|_| is(APIVariableScopeEnum::Environment)),
            job_id: self.job.as_ref().map(|row| row.id),
            key,
            ..Model::empty(self.organization, kind, now)
        }
    }

    fn change(&self, kind: &'static str, secret: bool) -> Change {
        let part = if secret { "SECRET" } else { "VARIABLE" };
        match (&self.environment, &self.job) {
            (Some(environment), Some(job)) => {
                Change::new(kind, "JOB", job.id.0, &job.name).of_environment(environment).part(part)
            }
            (Some(environment), None) => Change::new(kind, "ENVIRONMENT", environment.id.0, &environment.name)
                .of_environment(environment)
                .part(part),
            _ => {
                Change::new(kind, "PROJECT", self.project.id.0, &self.project.name).of_project(&self.project).part(part)
            }
        }
    }
}

/// Everything that a scope sees, sorted by key; built-in ones as rows that are not stored.
pub(super) async fn visible(app: &App, parent: &Parent) -> Result<Vec<Model>> {
    let environment = parent.environment.as_ref().map(|row| row.id);
    let job = parent.job.as_ref().map(|row| row.id);
    let mut rows = store::variable::list(&app.db, parent.project.id, environment, job).await?;
    rows.extend(built_in(app, parent).await?);
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(rows)
}

async fn built_in(app: &App, parent: &Parent) -> Result<Vec<Model>> {
    let cluster = match &parent.environment {
        Some(row) => Some(store::environment::cluster_of(&app.db, row).await?),
        None => None,
    };
    let events = parent.job.as_ref().map(|job| events(&job.spec.schedule)).unwrap_or_default();
    let of = Listed {
        project_id: parent.project.id,
        environment: parent.environment.as_ref().zip(cluster.as_ref()).map(|(row, cluster)| ListedEnvironment {
            id: row.id,
            name: &row.name,
            mode: row.mode,
            cluster_name: &cluster.name,
            region: &cluster.region,
        }),
        job: parent.job.as_ref().map(|job| ListedJob {
            id: job.id,
            events: &events,
            image_tag: match &job.spec.source {
                job_spec::Source::Image { tag, .. } => Some(tag),
                job_spec::Source::Docker { .. } => None,
            },
        }),
    };
    let since = parent.job.as_ref().map(|row| row.created_at);
    let since = since.or(parent.environment.as_ref().map(|row| row.created_at)).unwrap_or(parent.project.created_at);
    let row = |one: crate::engine::variables::BuiltIn| Model {
        id: VariableId(one.id),
        value: Some(one.value),
        description: Some(one.description.to_owned()),
        project_id: None,
        environment_id: None,
        job_id: None,
        ..parent.row(one.key, VariableKind::BuiltIn, since)
    };
    Ok(listed(&of).into_iter().map(row).collect())
}

/// All variables that a scope sees.
async fn list(app: &App, parent: &Parent) -> Result<Vec<VariableResponse>> {
    let all = visible(app, parent).await?;
    Ok(all.iter().map(|row| VariableResponse::new(row, &all, parent)).collect())
}

/// Creates a variable or a secret.
async fn create(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    given: EnvironmentVariableRequest,
    is_secret: bool,
) -> Result<VariableResponse> {
    let EnvironmentVariableRequest { key, value, mount_path, description, enable_interpolation_in_file } = given;
    let mut row = parent.row(self::key("key", &key)?, VariableKind::Value, app.clock.now());
    if let Some(path) = mount_path.filter(|path| !path.is_empty()) {
        row.mount_path = Some(self::path(path)?);
        row.kind = VariableKind::File;
    }
    row.is_secret = is_secret;
    row.description = description.map(self::description).transpose()?;
    row.interpolated = enable_interpolation_in_file;
    set_value(app, &mut row, limits::text("value", value.unwrap_or_default())?)?;
    store_new(app, auth, parent, row).await
}

/// Creates another name for something that the scope sees.
async fn create_alias(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    target: Uuid,
    given: schema::Key,
) -> Result<VariableResponse> {
    let target = target_of(app, auth, parent, target).await?;
    let schema::Key { key, description, enable_interpolation_in_file } = given;
    let mut row = parent.row(self::key("key", &key)?, VariableKind::Alias, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = description.map(self::description).transpose()?;
    row.interpolated = enable_interpolation_in_file;
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    row.target_key = Some(target.key);
    store_new(app, auth, parent, row).await
}

/// Creates another value for something of a wider scope.
async fn create_override(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    target: Uuid,
    given: schema::Value,
) -> Result<VariableResponse> {
    let target = target_of(app, auth, parent, target).await?;
    if target.kind == VariableKind::Alias {
        return Err(Error::invalid("variableId", "an alias cannot be overridden; override what it is of"));
    }
    if APIVariableScopeEnum::of(&target).width() >= parent.scope().width() {
        return Err(Error::invalid("variableId", HIERARCHY));
    }
    let schema::Value { value, description, enable_interpolation_in_file } = given;
    let mut row = parent.row(target.key.clone(), VariableKind::Override, app.clock.now());
    row.is_secret = target.is_secret;
    row.description = description.map(self::description).transpose()?;
    row.interpolated = enable_interpolation_in_file.or(target.interpolated);
    row.mount_path.clone_from(&target.mount_path);
    row.target_id = stored_id(&target);
    set_value(app, &mut row, limits::text("value", value.unwrap_or_default())?)?;
    store_new(app, auth, parent, row).await
}

/// Built-in variables that are made up for a list have no row to refer to.
fn stored_id(target: &Model) -> Option<VariableId> {
    let stored = target.project_id.is_some() || target.environment_id.is_some() || target.job_id.is_some();
    stored.then_some(target.id)
}

/// What an alias or an override is to be of: something that the scope sees.
async fn target_of(app: &App, auth: &Auth, parent: &Parent, id: Uuid) -> Result<Model> {
    let all = visible(app, parent).await?;
    if let Some(row) = all.into_iter().find(|row| row.id.0 == id) {
        return Ok(row);
    }
    // It may be there for the caller, but not for this scope.
    stored(app, auth, Action::View, id).await?;
    Err(Error::invalid("variableId", HIERARCHY))
}

/// A stored variable of a scope that the caller may reach.
async fn stored(app: &App, auth: &Auth, action: Action, id: Uuid) -> Result<(Model, Parent)> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?.ok_or(Error::NotFound("variable"))?;
    match Parent::of_row(app, auth, action, &row).await {
        Ok(parent) => Ok((row, parent)),
        Err(Error::NotFound(_)) => Err(Error::NotFound("variable")),
        Err(error) => Err(error),
    }
}

/// A variable that a family names under its scope; those of wider scopes are shown there, but not theirs to change.
async fn own(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<Model> {
    let row = store::row::by_id::<Model>(&app.db, VariableId(id)).await?;
    if let Some(row) = row.filter(|row| parent.owns(row) && row.is_secret == is_secret) {
        return Ok(row);
    }
    let shown = visible(app, parent).await?.into_iter().find(|row| row.id.0 == id && row.is_secret == is_secret);
    match shown {
        Some(row) if row.kind == VariableKind::BuiltIn => {
            Err(Error::invalid("key", "a built-in variable cannot be changed"))
        }
        Some(_) => Err(Error::invalid("key", "belongs to a wider scope; change it there, or override it here")),
        None => Err(Error::NotFound("variable")),
    }
}

/// Refuses a secret in the family of variables, and the other way round.
async fn of_kind(app: &App, parent: &Parent, id: Uuid, is_secret: bool) -> Result<()> {
    let all = visible(app, parent).await?;
    let other = all.iter().any(|row| row.id.0 == id && row.is_secret != is_secret);
    if other { Err(Error::NotFound("variable")) } else { Ok(()) }
}

async fn store_new(app: &App, auth: &Auth, parent: &Parent, row: Model) -> Result<VariableResponse> {
    let id = row.id;
    audit::write(app, auth, parent.organization, async |tx| {
        let row = insert(tx, parent, row).await?;
        touch(tx, parent, row.updated_at).await?;
        let shown = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("CREATE", row.is_secret).after(&shown)))
    })
    .await?;
    shown(app, parent, id).await
}

/// Stores a row, if its scope has room for it.
async fn insert(tx: &sea_orm::DatabaseTransaction, parent: &Parent, row: Model) -> Result<Model> {
    let environment = parent.environment.as_ref().map(|row| row.id);
    let rows = store::variable::list(tx, parent.project.id, environment, parent.job.as_ref().map(|row| row.id)).await?;
    let own = rows.iter().filter(|row| parent.owns(row)).count() as u64;
    if own >= store::variable::MOST {
        return Err(Error::invalid("key", format!("there are {} variables already, which is the most", own)));
    }
    let text = format!("a variable {} is there already in this scope", row.key);
    store::row::create(tx, row).await.map_err(|e| Error::or_taken(e, text))
}

async fn touch(tx: &sea_orm::DatabaseTransaction, parent: &Parent, now: chrono::DateTime<chrono::Utc>) -> Result<()> {
    let (environment, job) = (parent.environment.as_ref().map(|row| row.id), parent.job.as_ref().map(|row| row.id));
    store::variable::touch(tx, parent.project.id, environment, job, now).await?;
    Ok(())
}

/// A stored variable as its scope shows it.
async fn shown(app: &App, parent: &Parent, id: VariableId) -> Result<VariableResponse> {
    let all = visible(app, parent).await?;
    let row = all.iter().find(|row| row.id == id).ok_or(Error::NotFound("variable"))?;
    Ok(VariableResponse::new(row, &all, parent))
}

/// Edits a variable; a value that is not given stays.
async fn edit(
    app: &App,
    auth: &Auth,
    parent: &Parent,
    mut row: Model,
    given: EnvironmentVariableEditRequest,
) -> Result<VariableResponse> {
    let EnvironmentVariableEditRequest { key, value, mount_path, description, enable_interpolation_in_file } = given;
    let before = shown(app, parent, row.id).await?;
    let renamed = key != row.key;
    match row.kind {
        VariableKind::BuiltIn => return Err(Error::invalid("key", "a built-in variable cannot be changed")),
        VariableKind::Override if renamed => return Err(Error::invalid("key", "of an override cannot be changed")),
        _ if renamed => row.key = self::key("key", &key)?,
        _ => {}
    }
    if let Some(value) = value {
        match &row.target_key {
            Some(target) if *target == value || value.is_empty() => {}
            Some(_) => {
                return Err(Error::invalid("value", "of an alias cannot be changed; delete it and make another"));
            }
            None => set_value(app, &mut row, limits::text("value", value)?)?,
        }
    }
    match mount_path.filter(|path| !path.is_empty()) {
        Some(path) if row.kind == VariableKind::File => row.mount_path = Some(self::path(path)?),
        Some(path) if row.mount_path.as_ref() != Some(&path) => {
            return Err(Error::invalid("mount_path", "can only be changed of a file"));
        }
        _ => {}
    }
    match description {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => row.description = None,
        MaybeUndefined::Value(text) => row.description = Some(self::description(text)?),
    }
    match enable_interpolation_in_file {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => row.interpolated = None,
        MaybeUndefined::Value(wanted) => row.interpolated = Some(wanted),
    }
    row.updated_at = app.clock.now();
    let id = row.id;
    audit::write(app, auth, parent.organization, async |tx| {
        let text = format!("a variable {} is there already in this scope", row.key);
        let row = store::row::update(tx, row).await.map_err(|e| Error::or_taken(e, text))?;
        if renamed {
            store::variable::follow_key(tx, row.id, &row.key).await?;
        }
        touch(tx, parent, row.updated_at).await?;
        let after = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("UPDATE", row.is_secret).before(&before).after(&after)))
    })
    .await?;
    shown(app, parent, id).await
}

/// Deletes a variable with its aliases and overrides.
async fn delete(app: &App, auth: &Auth, parent: &Parent, row: Model) -> Result<()> {
    if row.kind == VariableKind::BuiltIn {
        return Err(Error::invalid("key", "a built-in variable cannot be deleted"));
    }
    let now = app.clock.now();
    audit::write(app, auth, parent.organization, async |tx| {
        store::row::delete::<Model>(tx, row.id).await?;
        touch(tx, parent, now).await?;
        let before = VariableResponse::new(&row, &[], parent);
        Ok(((), parent.change("DELETE", row.is_secret).before(&before)))
    })
    .await
}

fn set_value(app: &App, row: &mut Model, value: String) -> Result<()> {
    if row.is_secret {
        row.sealed = Some(app.keys.seal(&secret::place("variable", row.id.0), value.as_bytes())?);
    } else {
        row.value = Some(value);
    }
    Ok(())
}

/// The name of a variable, as a shell and the official rules take it.
fn key(field: &str, given: &str) -> Result<String> {
    let plain = given.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if given.is_empty() || !plain || given.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Error::invalid(field, "is not a name of letters, digits and _ that begins with no digit"));
    }
    if given.len() > KEY {
        return Err(Error::invalid(field, format!("has more than {KEY} characters")));
    }
    if given.to_ascii_uppercase().starts_with("QOVERY") || given.starts_with("__") {
        return Err(Error::invalid(field, "begins with QOVERY or __, which is kept for built-in variables"));
    }
    Ok(given.to_owned())
}

fn path(given: String) -> Result<String> {
    let parts = given.split('/').skip(1);
    let plain = given.starts_with('/')
        && given.len() > 1
        && parts.clone().all(|part| !part.is_empty() && part != "." && part != "..")
        && !given.chars().any(char::is_control);
    if !plain || given.chars().count() > PATH {
        return Err(Error::invalid("mount_path", "is not the absolute path of a file"));
    }
    Ok(given)
}

fn description(given: String) -> Result<String> {
    if given.chars().count() > DESCRIPTION {
        return Err(Error::invalid("description", format!("has more than {DESCRIPTION} characters")));
    }
    limits::text("description", given)
}
