//! Checks the image of a job.

use entity::id::RegistryId;
use entity::job_spec::Source;
use uuid::Uuid;

use crate::engine::faults::Faults;
use crate::engine::limits;
use crate::error::{Error, Result};

/// An image as somebody names it.
#[derive(Clone, Debug, Default)]
pub struct GivenImage {
    pub image_name: Option<String>,
    pub tag: Option<String>,
    pub registry_id: Option<String>,
}

/// Checks an image. Whether its registry belongs to the organization is checked with the other references.
///
/// # Errors
/// `Invalid` or `Faults`.
pub fn check_image_source(given: GivenImage) -> Result<Source> {
    const FIELD: &str = "source.image";
    let GivenImage { image_name, tag, registry_id } = given;
    let present = |key: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| Error::invalid(format!("{FIELD}.{key}"), "is missing"))
    };
    let mut faults = Faults::default();
    let checked_name = |name: String| limits::pinned_image(&format!("{FIELD}.image_name"), &name);
    let image_name = faults.note(present("image_name", image_name).and_then(checked_name));
    let digest = image_name.split_once('@').map(|(_, digest)| digest.to_owned());
    let tag = present("tag", tag.filter(|tag| !tag.is_empty()).or_else(|| digest.clone()));
    let tag = faults.note(tag.and_then(|tag| limits::image_tag(&format!("{FIELD}.tag"), &tag)));
    if digest.is_some_and(|digest| tag.starts_with("sha256:") && tag != digest) {
        faults.refuse(format!("{FIELD}.tag"), "must not differ from the digest in image_name");
    }
    let no_uuid = || Error::invalid(format!("{FIELD}.registry_id"), "must be a UUID");
    let registry = present("registry_id", registry_id);
    let registry_id = faults.note(registry.and_then(|id| id.parse::<Uuid>().map_err(|_| no_uuid())));
    faults.result()?;
    Ok(Source::Image { image_name, tag, registry_id: RegistryId(registry_id) })
}
