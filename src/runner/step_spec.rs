//! The specification of a step.

use super::image_build::Build;
use super::kubernetes::pod_options::PodOptions;
use super::upload::Upload;
use crate::git::Checkout;
use crate::liveness::fence::StartPermit;
use crate::secret::Secret;

/// A step to run: one attempt of a run, or a build.
#[derive(Clone, Debug)]
pub struct StepSpec {
    /// Unique and deterministic.
    pub name: String,
    pub image: Option<Image>,
    /// One program; without it the entrypoint of the image is used.
    pub entrypoint: Option<String>,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, Secret<String>)>,
    pub files: Vec<StepFile>,
    /// In thousandths of a core.
    pub cpu_milli: i32,
    /// In MiB.
    pub memory_mib: i32,
    /// Labels with which an operator finds the step on the engine.
    pub labels: Vec<(String, String)>,
    /// Whether the root file system is read-only; volumes stay writable.
    pub read_only_root: bool,
    /// Checked right before the start; the step is not started if the permit is no longer valid. None skips the check.
    pub permit: Option<StartPermit>,
    /// An image to build; nothing is run then.
    pub build: Option<Build>,
    /// The source to check out before the start.
    pub source: Option<SourceTree>,
    /// Stops the step by sending SIGINT to its first process only, which ends the others itself.
    pub interrupt: bool,
    /// Options for plain processes; other runners ignore them.
    pub process: ProcessOptions,
    /// Options for Kubernetes; other runners ignore them.
    pub pod: Option<Box<PodOptions>>,
    /// The program that the step executes, for runners that have to find it; the others ignore it.
    pub tool: Option<StepTool>,
}

/// A program in one of several versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTool {
    pub name: String,
    /// A version or a constraint, as the workspace has it.
    pub version: String,
}

/// Options for plain processes; what is none has its default.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// The value of HOME, by default the scratch folder.
    pub home: Option<String>,
    /// The value of PATH.
    pub path: Option<String>,
    /// The working folder, by default the scratch folder.
    pub working_folder: Option<String>,
    /// The name or the id of a user, by default that of the server.
    pub user: Option<String>,
    /// The name of a folder that this step finds as the last one with the same name left it, if that was here, and not long ago; otherwise
    /// it is empty. A valid file name. `terraform::layout::KEPT_VARIABLE` has its path.
    pub kept: Option<String>,
}

impl StepSpec {
    /// Whether the step may still be started.
    #[must_use]
    pub fn may_start(&self) -> bool {
        self.permit.as_ref().is_none_or(StartPermit::holds)
    }
}

/// The source files of a step, in the folder that `terraform::layout::SOURCE_VARIABLE` names.
#[derive(Clone, Debug)]
pub enum SourceTree {
    /// An empty folder.
    Empty,
    Repository(Checkout),
    /// Files that somebody uploaded.
    Upload(Upload),
}

/// A file for a step, read-only where the runner can enforce that.
#[derive(Clone, Debug)]
pub struct StepFile {
    /// The variables that hold the path; a runner that puts the file elsewhere adjusts them.
    pub variables: Vec<String>,
    /// Absolute.
    pub path: String,
    pub content: Secret<String>,
}

/// An image and how to pull it.
#[derive(Clone, Debug)]
pub struct Image {
    /// With registry host and tag.
    pub reference: String,
    pub credentials: Option<Credentials>,
    /// Whether the image was built on the engine and is in no registry.
    pub local: bool,
}

/// A login to a registry.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub username: String,
    pub password: Secret<String>,
    /// The host of the registry.
    pub server: String,
}
