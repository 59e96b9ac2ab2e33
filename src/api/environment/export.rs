//! /environment/{environmentId}/terraformExport.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use entity::id::EnvironmentId;
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
use crate::engine::environment_rows;
use crate::engine::export::{ManifestFile, manifest};
use crate::error::{Error, Result};

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
        let exported = environment_rows::load(&self.0.db, row).await?;
        let bytes = archive(&manifest(&exported)).map_err(Error::internal)?;
        Ok(Archive { name, bytes })
    }
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
