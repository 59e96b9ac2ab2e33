//! The version of a job that a request deploys.

use entity::job;
use entity::job_spec::{JobSpec, Source};

use super::limits;
use crate::error::{Error, Result};

/// The version of a job to deploy; empty for the configured one.
#[derive(Clone, Debug, Default)]
pub struct DeployVersion {
    pub image_tag: Option<String>,
    pub git_commit_id: Option<String>,
}

/// A version that a job can have; empty for the configured one.
#[derive(Clone, Debug, Default)]
pub struct CheckedVersion {
    /// The tag, which replaces the configured one.
    pub tag: Option<NewTag>,
    /// The commit, for this deployment to build.
    pub commit: Option<String>,
}

impl DeployVersion {
    /// Checks the version. `prefix` is where its fields are in the request.
    ///
    /// # Errors
    /// `Invalid` if the job has no such version.
    pub fn check(self, prefix: &str, row: &job::Model) -> Result<CheckedVersion> {
        let commit_field = format!("{prefix}git_commit_id");
        match (self.image_tag, self.git_commit_id) {
            (None, None) => Ok(CheckedVersion::default()),
            (Some(_), Some(_)) => Err(Error::invalid(commit_field, "cannot be combined with image_tag")),
            (None, Some(commit)) => {
                let from_git = matches!(&row.spec.source, Source::Docker { git_repository: Some(_), .. });
                if !from_git {
                    return Err(Error::invalid(commit_field, "only jobs built from a git repository have commits"));
                }
                Ok(CheckedVersion { commit: Some(limits::commit(&commit_field, &commit)?), tag: None })
            }
            (Some(tag), None) => {
                let tag = NewTag { field: format!("{prefix}image_tag"), tag, image: None };
                tag.put(&row.spec)?;
                Ok(CheckedVersion { tag: Some(tag), commit: None })
            }
        }
    }
}

/// An image tag for a job.
#[derive(Clone, Debug)]
pub struct NewTag {
    /// The field of the request.
    field: String,
    tag: String,
    /// The image that the tag is one of, if the requester has named it instead of the job.
    image: Option<String>,
}

impl NewTag {
    /// A valid tag of an image, for the jobs with auto-deploy that use it.
    #[must_use]
    pub fn of_image(image: String, tag: String) -> Self {
        Self { field: "tag".into(), tag, image: Some(image) }
    }

    /// Whether a job with this configuration gets the tag.
    #[must_use]
    pub fn concerns(&self, spec: &JobSpec) -> bool {
        let Some(image) = &self.image else { return true };
        spec.auto_deploy && matches!(&spec.source, Source::Image { image_name, .. } if image_name == image)
    }

    /// The configuration with the tag; none if it has it already.
    ///
    /// # Errors
    /// `Invalid` if the job has no image tag.
    pub fn put(&self, spec: &JobSpec) -> Result<Option<JobSpec>> {
        let mut spec = spec.clone();
        match &mut spec.source {
            Source::Image { tag, .. } if *tag == self.tag => return Ok(None),
            Source::Image { image_name, .. } if image_name.contains('@') => {
                let text = "cannot be set: the image name of the job has a digest";
                return Err(Error::invalid(self.field.clone(), text));
            }
            Source::Image { tag, .. } => *tag = limits::image_tag(&self.field, &self.tag)?,
            Source::Docker { .. } => {
                let text = "the job is built from a Dockerfile and has no image tag";
                return Err(Error::invalid(self.field.clone(), text));
            }
        }
        Ok(Some(spec))
    }
}
