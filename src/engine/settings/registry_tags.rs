//! The tags of an image in a registry, read with its login.

use entity::registry;

use crate::app::App;
use crate::engine::limits;
use crate::error::{Error, Result};
use crate::registry_client;

/// The name of the image, and its tags.
///
/// # Errors
/// `Invalid` if the name is, or with what the registry answers.
pub async fn tags(app: &App, row: &registry::Model, name: &str) -> Result<(String, Vec<String>)> {
    let name = limits::image_name("imageName", name)?;
    let login = registry_client::login(&app.keys, row, row.organization_id)?
        .map_err(|refused| Error::invalid("containerRegistryId", refused.to_string()))?;
    let tags = registry_client::tags(&row.url, login.as_ref(), &name).await;
    Ok((name, tags.map_err(|reason| Error::invalid("imageName", reason))?))
}
