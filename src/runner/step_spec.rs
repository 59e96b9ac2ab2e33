//! A step: what a runner is asked to execute.

use super::image_build::Build;
use super::kubernetes::pod_options::PodOptions;
use crate::git::Wanted;
use crate::liveness::fence::Leave;
use crate::secret::Secret;

/// Something to execute.
#[derive(Clone, Debug)]
pub struct StepSpec {
    /// Unique, and the same whenever the same step is meant.
    pub name: String,
    pub image: Option<Image>,
    /// One program; without it the image decides.
    pub entrypoint: Option<String>,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, Secret<String>)>,
    pub files: Vec<StepFile>,
    /// In thousandths of a core.
    pub cpu_milli: i32,
    /// In MiB.
    pub memory_mib: i32,
    /// How an operator finds the step on the engine.
    pub labels: Vec<(String, String)>,
    /// Whether the container can write nowhere but to its volumes.
    pub read_only_root: bool,
    /// Asked right before it is started; when it does not hold any more, nothing is done. Without it nothing is asked.
    pub leave: Option<Leave>,
    /// An image to build; then nothing is run.
    pub build: Option<Build>,
    /// What is checked out before it begins, and how.
    pub source: Option<SourceTree>,
    /// Its first process alone is asked to end, by an interruption, and sees to the others.
    pub interrupt: bool,
    /// What only a cluster of Kubernetes needs to know; others pass it over.
    pub pod: Option<Box<PodOptions>>,
}

impl StepSpec {
    /// Whether it may still be started.
    #[must_use]
    pub fn may_start(&self) -> bool {
        self.leave.as_ref().is_none_or(Leave::holds)
    }
}

/// The files that a step works on: `terraform::script::SOURCE_VARIABLE` is the folder that they are in.
#[derive(Clone, Debug)]
pub enum SourceTree {
    /// An empty folder.
    Empty,
    Repository(Wanted),
}

/// A file that the step finds, and cannot change where its runner can prevent it.
#[derive(Clone, Debug)]
pub struct StepFile {
    /// The variables that hold the path; a runner that puts the file elsewhere sets them to that place.
    pub variables: Vec<String>,
    /// Absolute.
    pub path: String,
    pub content: Secret<String>,
}

/// An image, and how to pull it.
#[derive(Clone, Debug)]
pub struct Image {
    /// With registry host and tag.
    pub reference: String,
    pub credentials: Option<Credentials>,
    /// It was built on the engine, and is nowhere else.
    pub local: bool,
}

/// A login to a registry.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub username: String,
    pub password: Secret<String>,
    /// The registry's host.
    pub server: String,
}
