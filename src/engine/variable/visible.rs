//! The variables visible in a scope: its own, those of wider scopes, and the built-in ones, which have no row.

use entity::id::VariableId;
use entity::job_spec;
use entity::variable::{Model, VariableKind};

use super::parent::Parent;
use crate::app::App;
use crate::engine::deployment::events;
use crate::engine::variables::built_in::{BuiltInVariable, EnvironmentContext, JobContext, ListContext, for_list};
use crate::error::Result;
use crate::store;

/// All variables visible in a scope, sorted by key; of one key, the variable of the narrowest scope comes first, because clients take
/// the first one that has the name. Built-in ones are rows that are not stored.
///
/// # Errors
/// Database errors.
pub async fn visible(app: &App, parent: &Parent) -> Result<Vec<Model>> {
    let environment = parent.environment.as_ref().map(|row| row.id);
    let job = parent.job.as_ref().map(|row| row.id);
    let mut rows = store::variable::list(&app.db, parent.project.id, environment, job).await?;
    rows.extend(built_in(app, parent).await?);
    rows.sort_by(|one, other| one.key.cmp(&other.key).then_with(|| width(one).cmp(&width(other))));
    Ok(rows)
}

/// How wide the scope of a variable is: a job, its environment, its project, or the built-in ones.
fn width(row: &Model) -> u8 {
    let Model { job_id, environment_id, project_id, .. } = row;
    match (job_id, environment_id, project_id) {
        (Some(_), ..) => 0,
        (None, Some(_), _) => 1,
        (None, None, Some(_)) => 2,
        (None, None, None) => 3,
    }
}

async fn built_in(app: &App, parent: &Parent) -> Result<Vec<Model>> {
    let cluster = match &parent.environment {
        Some(row) => Some(store::environment::cluster_of(&app.db, row).await?),
        None => None,
    };
    let events = parent.job.as_ref().map(|job| events(&job.spec.schedule)).unwrap_or_default();
    let subject = ListContext {
        project_id: parent.project.id,
        environment: parent.environment.as_ref().zip(cluster.as_ref()).map(|(row, cluster)| EnvironmentContext {
            id: row.id,
            name: &row.name,
            mode: row.mode,
            cluster_name: &cluster.name,
            region: &cluster.region,
        }),
        job: parent.job.as_ref().map(|job| JobContext {
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
    let row = |variable: BuiltInVariable| Model {
        id: VariableId(variable.id),
        value: Some(variable.value),
        description: Some(variable.description.to_owned()),
        project_id: None,
        environment_id: None,
        job_id: None,
        ..parent.empty_row(variable.key, VariableKind::BuiltIn, since)
    };
    Ok(for_list(&subject).into_iter().map(row).collect())
}
