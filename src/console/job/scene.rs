//! A job with the rows around it, and what the viewer may do there.

use entity::id::JobId;
use entity::job_spec::JobType;
use entity::{environment, job, project};

use crate::access::{self, Action, Caller, Location};
use crate::app::App;
use crate::console::paths;
use crate::console::shell::{Place, Section};
use crate::error::{Error, Result};
use crate::store;

/// A job that the viewer may see.
#[derive(Clone)]
pub(in crate::console) struct Scene {
    pub(in crate::console) job: job::Model,
    pub(in crate::console) environment: environment::Model,
    pub(in crate::console) project: project::Model,
    pub(in crate::console) organization: String,
    location: Location,
}

impl Scene {
    /// Loads a job that is no check, for somebody who may take an action.
    pub(in crate::console) async fn load(app: &App, caller: &Caller, action: Action, id: JobId) -> Result<Self> {
        Self::around(app, access::job_row(&app.db, caller, action, id).await?).await
    }

    /// Loads a job, also a check.
    pub(in crate::console) async fn load_any(app: &App, caller: &Caller, action: Action, id: JobId) -> Result<Self> {
        Self::around(app, access::job_or_check(&app.db, caller, action, id).await?).await
    }

    async fn around(app: &App, job: job::Model) -> Result<Self> {
        let gone = || Error::NotFound("job");
        let environment = store::environment::by_id(&app.db, job.environment_id).await?.ok_or_else(gone)?;
        let project = store::project::by_id(&app.db, environment.project_id).await?.ok_or_else(gone)?;
        let organization = store::organization::by_id(&app.db, job.organization_id).await?.ok_or_else(gone)?.name;
        let location = access::location(&environment);
        Ok(Self { job, environment, project, organization, location })
    }

    /// Whether the viewer may do something with the job. Buttons for what they may not do are not shown.
    pub(in crate::console) fn may(&self, caller: &Caller, action: Action) -> bool {
        caller.may(self.job.organization_id, action, &self.location)
    }

    /// Whether the job runs elsewhere.
    pub(in crate::console) fn is_check(&self) -> bool {
        self.job.job_type == JobType::Check
    }

    /// Where its pages are in the navigation.
    pub(in crate::console) fn place(&self) -> Place {
        let organization = self.job.organization_id;
        Place { organization, name: self.organization.clone(), section: Section::Environments }
    }

    /// What leads to the page of the job, without the job itself.
    pub(in crate::console) fn trail(&self) -> Vec<(String, String)> {
        let name = format!("{} / {}", self.project.name, self.environment.name);
        vec![(name, paths::environment(self.environment.id))]
    }
}
