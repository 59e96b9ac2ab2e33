//! The parts of deployments, with the commits that they built.

use entity::deployment;

use super::builds::Builds;
use crate::app::App;
use crate::engine::state::DeploymentParts;
use crate::error::Result;

/// The parts of deployments, with their jobs and the commits they built.
pub(super) struct HistoryParts {
    pub(super) parts: DeploymentParts,
    pub(super) builds: Builds,
}

impl HistoryParts {
    pub(super) async fn read(app: &App, rows: &[deployment::Model]) -> Result<Self> {
        let parts = DeploymentParts::read(app, rows).await?;
        let builds = Builds::read(&app.db, parts.by_deployment.values().flatten()).await?;
        Ok(Self { parts, builds })
    }
}
