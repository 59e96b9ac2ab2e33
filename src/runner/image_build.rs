//! An image to build.

use crate::git::Wanted;
use crate::secret::Secret;

/// An image to build. Its `output` is a JSON document: `image`, and `commit` with `id`, `at`, `author` and `message`, or
/// null.
#[derive(Clone, Debug)]
pub struct Build {
    /// The name of the image, without a tag: that comes from the commit and from all that decides what is built.
    pub image: String,
    /// None for a Dockerfile that needs no files.
    pub source: Option<Wanted>,
    /// The folder of the build, inside the repository.
    pub root_path: String,
    pub dockerfile: Dockerfile,
    pub target_stage: Option<String>,
    pub arguments: Vec<(String, Secret<String>)>,
    pub cache: bool,
}

/// Where a Dockerfile comes from.
#[derive(Clone, Debug)]
pub enum Dockerfile {
    /// In the folder of the build.
    Path(String),
    Text(String),
}
