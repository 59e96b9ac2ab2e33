//! A request to build an image.

use crate::git::Checkout;
use crate::secret::Secret;

/// An image to build. The output of the step is a JSON document with `image` and `commit`, which is null or has `id`,
/// `at`, `author` and `message`.
#[derive(Clone, Debug)]
pub struct Build {
    /// The name of the image without its tag, which is derived from the commit and from everything else that affects
    /// the build.
    pub image: String,
    /// None if the Dockerfile needs no files.
    pub source: Option<Checkout>,
    /// The build context inside the repository.
    pub root_path: String,
    pub dockerfile: Dockerfile,
    pub target_stage: Option<String>,
    pub arguments: Vec<(String, Secret<String>)>,
    pub cache: bool,
}

/// The Dockerfile of a build.
#[derive(Clone, Debug)]
pub enum Dockerfile {
    /// A path in the build context.
    Path(String),
    Text(String),
}
