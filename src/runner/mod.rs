//! Places where runs run: a container engine, this machine's processes, or a cluster of Kubernetes.
//!
//! A step is known by a name derived from its run, so that starting it twice is starting it once, and a server
//! that was killed finds it again.

pub mod docker;
pub mod kubernetes;
mod memory;
pub mod patience;
pub mod process;
pub mod source;
pub mod terraform;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::id::ClusterId;

use self::kubernetes::clusters::Clusters;
use self::kubernetes::pod::Pod;
use crate::git::Checkout;
use crate::liveness::fence::StartPermit;
use crate::secret::Secret;

/// Which runner it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Docker,
    Process,
    /// A cluster, by its id.
    Kubernetes(ClusterId),
}

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
    pub permit: Option<StartPermit>,
    /// An image to build; then nothing is run.
    pub build: Option<Build>,
    /// What is checked out before it begins, and how.
    pub source: Option<Source>,
    /// Its first process alone is asked to end, by an interruption, and sees to the others.
    pub interrupt: bool,
    /// What only a cluster of Kubernetes needs to know; others pass it over.
    pub pod: Option<Box<Pod>>,
}

/// The files that a step works on: `terraform::script::SOURCE_VARIABLE` is the folder that they are in.
#[derive(Clone, Debug)]
pub enum Source {
    /// An empty folder.
    Empty,
    Repository(Checkout),
}

/// An image to build. Its `output` is a JSON document: `image`, and `commit` with `id`, `at`, `author` and `message`, or
/// null.
#[derive(Clone, Debug)]
pub struct Build {
    /// The name of the image, without a tag: that comes from the commit and from all that decides what is built.
    pub image: String,
    /// None for a Dockerfile that needs no files.
    pub source: Option<Checkout>,
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

/// Where a step writes its outputs (place and name of the official API).
pub const OUTPUT_FOLDER: &str = "/qovery-output";
/// The file in it.
pub const OUTPUT_FILE: &str = "qovery-output.json";
/// Tells a step where that file is, wherever it runs.
pub const OUTPUT_VARIABLE: &str = "WINDLASS_OUTPUT_FILE";
/// The largest file of outputs that is read, in bytes; a reader may be given one byte more, to see that it is larger.
pub const OUTPUT_BYTES: u64 = 1024 * 1024;

impl StepSpec {
    /// Whether it may still be started.
    #[must_use]
    pub fn may_start(&self) -> bool {
        self.permit.as_ref().is_none_or(StartPermit::holds)
    }
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

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Being prepared, for example its image pulled; with what keeps it waiting, where that is known.
    Starting {
        reason: Option<String>,
    },
    Running,
    Exited {
        exit_code: i32,
        reason: Option<String>,
    },
    /// Ended by its runner, for a reason that is not its exit code.
    Failed {
        exit_code: Option<i32>,
        reason: String,
    },
    /// Will never start.
    CannotStart {
        reason: String,
    },
    /// It was started, and how it ended will never be known.
    Lost,
    /// The runner has nothing of this name.
    Unknown,
}

/// When a step began and ended, by the clock of its runner, and how often; none where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// How often its runner has begun it, where that starts it again itself.
    pub attempts: Option<i32>,
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of output; longer ones are cut into several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: DateTime<Utc>,
    pub stream: Stream,
    pub text: String,
}

/// Lines in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<Line>,
    /// Nothing follows.
    pub end: bool,
}

/// The longest line that is kept whole, in bytes.
pub const LINE_BYTES: usize = 16 * 1024;

/// The runner does not answer now; asking again later may help.
#[derive(Clone, Debug)]
pub struct Unavailable(pub String);

/// A place where steps run. No call waits for a step to end.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Which one it is.
    fn kind(&self) -> Kind;

    /// Names the engine: only servers with the same one find the same steps.
    async fn place(&self) -> Result<String, Unavailable>;

    /// Begins to start a step; does nothing when one of that name was started before.
    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable>;

    /// How far a step has come.
    async fn poll(&self, name: &str) -> Result<StepState, Unavailable>;

    /// When a step began and ended.
    async fn times(&self, name: &str) -> Result<Times, Unavailable>;

    /// Begins to end a step and everything it started: politely, and by force after `grace`.
    async fn stop(&self, name: &str, grace: Duration) -> Result<(), Unavailable>;

    /// Up to `limit` lines behind the first `skip`, without waiting for more.
    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable>;

    /// What a step that has ended left in a file of its folder for outputs; none where it left no such file. Of one that
    /// is larger than `most` bytes one byte more is read.
    async fn output(&self, name: &str, file: &str, most: u64) -> Result<Option<Vec<u8>>, Unavailable>;

    /// The largest file of outputs that it can hand over, in bytes.
    fn most_output(&self) -> u64 {
        OUTPUT_BYTES
    }

    /// Forgets a step that has ended, or ends it.
    async fn remove(&self, name: &str) -> Result<(), Unavailable>;

    /// Names of the steps that are there.
    async fn list(&self) -> Result<Vec<String>, Unavailable>;

    /// Ends what cannot outlive this server.
    async fn close(&self);
}

/// The runners of this server.
#[derive(Clone)]
pub struct Runners {
    pub docker: Arc<dyn Runner>,
    pub process: Arc<dyn Runner>,
    pub clusters: Clusters,
    /// Where new runs of the local cluster go, or why they can go nowhere.
    pub local: Result<Kind, String>,
    /// Whether plain processes may be started for steps of workspaces.
    pub processes: bool,
}

impl Runners {
    /// The runner of a kind.
    #[must_use]
    pub fn get(&self, kind: Kind) -> Arc<dyn Runner> {
        match kind {
            Kind::Docker => self.docker.clone(),
            Kind::Process => self.process.clone(),
            Kind::Kubernetes(id) => self.clusters.get(id),
        }
    }
}
