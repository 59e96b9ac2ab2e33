//! /environment/{environmentId}/terraformExport.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::sync::Arc;

use entity::environment;
use entity::id::{EnvironmentId, JobId};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::access::{self, Action};
use crate::api::caller::Auth;
use crate::api::tag::Tag;
use crate::api::wire::Archive;
use crate::app::App;
use crate::engine::export::{Exported, ExportedJob, ManifestFile, manifest};
use crate::error::{Error, Result};
use crate::store;

/// Maximum jobs exported with their environment.
const MOST_JOBS: usize = 2000;

pub(in crate::api) struct EnvironmentExportApi(pub(in crate::api) Arc<App>);

#[OpenApi]
impl EnvironmentExportApi {
    #[oai(path = "/environment/:environmentId/terraformExport", method = "get", operation_id = "exportEnvironmentConfigurationIntoTerraform", tag = Tag::EnvironmentExport)]
    async fn export_environment_configuration_into_terraform(
        &self,
        auth: Auth,
        #[oai(name = "environmentId")] environment_id: Path<Uuid>,
        #[oai(name = "exportSecrets", default)] export_secrets: Query<bool>,
    ) -> Result<Archive> {
        let id = EnvironmentId(environment_id.0);
        let row = access::environment(&self.0.db, &auth.0, Action::View, id).await?;
        // Values of secrets never leave the server.
        let _unused = export_secrets;
        let name = format!("{}.zip", row.name_key);
        let exported = load(&self.0, row).await?;
        let bytes = archive(&manifest(&exported)).map_err(Error::internal)?;
        Ok(Archive { name, bytes })
    }
}

/// The rows of an environment.
async fn load(app: &App, environment: environment::Model) -> Result<Exported> {
    let (db, id) = (&app.db, environment.id);
    let project = store::project::by_id(db, environment.project_id).await?.ok_or(Error::NotFound("project"))?;
    let mut places = store::stage::places(db, id).await?;
    let mut restrictions: HashMap<JobId, Vec<_>> = HashMap::new();
    for row in store::restriction::list_below_environment(db, id).await? {
        restrictions.entry(row.job_id).or_default().push(row);
    }
    let mut jobs = Vec::new();
    let mut after = None;
    loop {
        let page = store::job::list_by_environment(db, id, after, store::PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        if jobs.len() + page.len() > MOST_JOBS {
            return Err(Error::Conflict(format!(
                "the environment has more than {MOST_JOBS} jobs, the most that are exported"
            )));
        }
        jobs.extend(page.into_iter().map(|job| ExportedJob {
            place: places.remove(&job.id),
            restrictions: restrictions.remove(&job.id).unwrap_or_default(),
            job,
        }));
    }
    let mut variables = store::variable::list(db, project.id, None, None).await?;
    variables.extend(store::variable::list_below_environment(db, id).await?);
    let groups = jobs.iter().flat_map(|job| job.job.spec.annotations_groups.iter().chain(&job.job.spec.labels_groups));
    let groups = store::group::by_ids(db, groups.copied().collect()).await?;
    Ok(Exported {
        cluster: store::environment::cluster_of(db, &environment).await?,
        stages: store::stage::list(db, id).await?,
        registries: store::registry::list_by_organization(db, project.organization_id).await?,
        project,
        environment,
        jobs,
        variables,
        groups,
    })
}

/// A zip archive of files, which are small and therefore not compressed.
fn archive(files: &[ManifestFile]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for file in files {
        writer
            .start_file(file.name, options.unix_permissions(if file.name.ends_with(".sh") { 0o755 } else { 0o644 }))?;
        writer.write_all(file.text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}
