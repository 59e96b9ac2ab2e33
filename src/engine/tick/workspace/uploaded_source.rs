//! The files of an uploaded configuration, for a step.

use entity::configuration_piece;
use entity::configuration_version::{self, ConfigurationStatus};
use entity::id::ConfigurationVersionId;

use crate::app::App;
use crate::engine::uploaded_configuration::place_of;
use crate::error::{Error, Result};
use crate::runner::{Upload, UploadWriter};
use crate::store;

/// The files of a configuration. The inner error says why there are none.
///
/// # Errors
/// When they cannot be read or opened.
pub(super) async fn load(app: &App, id: ConfigurationVersionId) -> Result<Result<Upload, String>> {
    let row = store::row::by_id::<configuration_version::Model>(&app.db, id).await?;
    let Some(row) = row.filter(|row| row.status == ConfigurationStatus::Uploaded) else {
        return Ok(Err("the uploaded configuration is not there any more; start a new run".into()));
    };
    let mut writer = UploadWriter::new().map_err(Error::internal)?;
    for number in 0..row.pieces {
        let piece = store::row::by_id::<configuration_piece::Model>(&app.db, (id, number)).await?;
        let piece = piece.ok_or_else(|| Error::internal(format!("piece {number} of configuration {id} is missing")))?;
        let keys = app.keys.clone();
        let written = tokio::task::spawn_blocking(move || {
            let opened = keys.open(&place_of(id, number), &piece.sealed)?;
            writer.push(opened.expose()).map_err(Error::internal)?;
            Ok::<_, Error>(writer)
        });
        writer = written.await.map_err(Error::internal)??;
    }
    let upload = tokio::task::spawn_blocking(move || writer.finish()).await.map_err(Error::internal)?;
    Ok(Ok(upload.map_err(Error::internal)?))
}
