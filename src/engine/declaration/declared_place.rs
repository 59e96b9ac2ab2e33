//! Where an environment is declared: its project and itself, stored or new.

use entity::environment::Mode;
use entity::id::OrganizationId;
use entity::{cluster, environment, project, project_rule};

use crate::app::App;
use crate::engine::limits;
use crate::engine::new_environment::NewEnvironment;
use crate::error::{Error, Result};
use crate::store;

/// The project and the environment. Callers check that the requester may change what is there, and create what is new.
pub struct Target {
    pub project: project::Model,
    pub project_is_new: bool,
    /// With the mode that is declared.
    pub environment: environment::Model,
    pub environment_is_new: bool,
    /// The mode that is stored.
    pub mode_before: Option<Mode>,
    pub cluster: cluster::Model,
    pub(super) rule: Option<project_rule::Model>,
}

impl Target {
    /// Finds them by their names, regardless of case.
    ///
    /// # Errors
    /// `Invalid` if a name is, or if the environment is on another cluster; database errors.
    pub async fn find(
        app: &App,
        organization: OrganizationId,
        (project, environment): (&str, &str),
        mode: Option<Mode>,
        cluster: Option<&str>,
    ) -> Result<Self> {
        let project = limits::name("project", project)?;
        let environment = limits::name("environment", environment)?;
        let clusters = store::cluster::list_by_organization(&app.db, organization).await?;
        let cluster = match cluster {
            Some(name) => {
                let found = clusters.iter().find(|row| row.name == name);
                let names = || clusters.iter().map(|row| row.name.as_str()).collect::<Vec<_>>().join(", ");
                let unknown = || format!("{name} is no cluster of the organization; there are: {}", names());
                Some(found.cloned().ok_or_else(|| Error::invalid("cluster", unknown()))?)
            }
            None => None,
        };
        let projects = store::project::list_by_organization(&app.db, organization).await?;
        let key = entity::name_key(&project);
        let stored = projects.into_iter().find(|row| row.name_key == key);
        let project_is_new = stored.is_none();
        let project =
            stored.unwrap_or_else(|| project::Model::new(organization, project, String::new(), app.clock.now()));
        let rows = store::environment::list_by_project(&app.db, project.id).await?;
        let key = entity::name_key(&environment);
        if let Some(row) = rows.into_iter().find(|row| row.name_key == key) {
            let stored = store::environment::cluster_of(&app.db, &row).await?;
            if cluster.as_ref().is_some_and(|cluster| cluster.id != stored.id) {
                let text = format!("cannot be changed: the environment is on {}", stored.name);
                return Err(Error::invalid("cluster", text));
            }
            let mode_before = Some(row.mode);
            let environment = environment::Model { mode: mode.unwrap_or(row.mode), ..row };
            let (environment_is_new, rule, cluster) = (false, None, stored);
            return Ok(Self { project, project_is_new, environment, environment_is_new, mode_before, cluster, rule });
        }
        let new = NewEnvironment::of(app, &project, &environment, cluster.map(|row| row.id), mode).await?;
        let NewEnvironment { name, mode, cluster, rule } = new;
        let cluster = cluster.ok_or_else(|| Error::invalid("cluster", "the organization has no cluster"))?;
        let environment = environment::Model::new(&project, cluster.id, name, mode, app.clock.now());
        let (environment_is_new, mode_before) = (true, None);
        Ok(Self { project, project_is_new, environment, environment_is_new, mode_before, cluster, rule })
    }
}
