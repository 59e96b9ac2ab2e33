//! The version of a job that a request deploys.

use entity::job;
use entity::job_spec::Source;

use super::limits;
use crate::error::{Error, Result};

/// The version of a job to deploy; empty for the configured one.
pub struct DeployVersion {
    pub image_tag: Option<String>,
    pub git_commit_id: Option<String>,
}

impl DeployVersion {
    /// Applies the version to a job.
    ///
    /// A new image tag changes the row, and is returned for the request to store. A commit is returned for the deployment to build.
    ///
    /// # Errors
    /// `Invalid` if the job has no such version.
    pub fn apply(self, prefix: &str, row: &mut job::Model) -> Result<(Option<String>, Option<String>)> {
        let (commit_field, tag_field) = (format!("{prefix}git_commit_id"), format!("{prefix}image_tag"));
        let given_tag = match (self.image_tag, self.git_commit_id) {
            (None, None) => return Ok((None, None)),
            (Some(_), Some(_)) => {
                let text = "cannot be combined with image_tag";
                return Err(Error::invalid(commit_field, text));
            }
            (None, Some(commit)) => {
                let from_git = matches!(&row.spec.source, Source::Docker { git_repository: Some(_), .. });
                if !from_git {
                    return Err(Error::invalid(commit_field, "only jobs built from a git repository have commits"));
                }
                return Ok((None, Some(limits::commit(&commit_field, &commit)?)));
            }
            (Some(tag), None) => tag,
        };
        match &mut row.spec.source {
            Source::Image { tag, .. } if *tag == given_tag => Ok((None, None)),
            Source::Image { image_name, .. } if image_name.contains('@') => {
                Err(Error::invalid(tag_field, "cannot be set: the image name of the job has a digest"))
            }
            Source::Image { tag, .. } => {
                *tag = limits::image_tag(&tag_field, &given_tag)?;
                Ok((Some(tag.clone()), None))
            }
            Source::Docker { .. } => {
                Err(Error::invalid(tag_field, "the job is built from a Dockerfile and has no image tag"))
            }
        }
    }
}
