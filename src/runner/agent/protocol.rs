//! Pure: the bodies that an agent and the server exchange, as JSON.
//!
//! An agent may be older or newer than its server: unknown fields are ignored, and new ones need a default. A change that breaks this
//! gets a new `PROTOCOL`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::wire_step::WireStep;
use crate::runner::line::{Line, Stream};
use crate::runner::step_state::{StepState, StepTimes};

/// The version of the protocol.
pub const PROTOCOL: u32 = 1;

/// The longest time that the server keeps a request for orders waiting, in seconds.
pub const LONGEST_WAIT_SECONDS: u64 = 20;

/// The size limit of a body that an agent sends, in bytes. It has room for a full batch of lines and for all outputs, in base64.
pub const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;

/// How many bytes of the log of one step the server keeps until they are stored with its run.
pub const LOG_BUFFER_BYTES: i64 = 8 * 1024 * 1024;

/// The most steps that an agent runs at the same time.
pub const MOST_CAPACITY: u32 = 256;

/// An agent introduces itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    /// This process of the agent.
    pub session: Uuid,
    pub version: String,
    /// `docker` or `process`.
    pub runner: String,
    /// The engine of the agent, which tells whether it can know the steps that it took earlier.
    pub place: String,
    pub capacity: u32,
}

/// The server knows the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Welcome {
    pub agent: String,
    pub cluster: String,
}

/// An agent asks for orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    pub session: Uuid,
    /// How many more steps it can run.
    pub free: u32,
    /// The steps that it has, so that the server repeats an order whose answer was lost.
    pub held: Vec<HeldStep>,
    #[serde(default)]
    pub wait_seconds: u64,
}

/// A step that an agent has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldStep {
    pub name: String,
    #[serde(default)]
    pub stopping: bool,
    #[serde(default)]
    pub removing: bool,
}

/// What an agent has to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Orders {
    #[serde(default)]
    pub steps: Vec<StepOrder>,
    #[serde(default)]
    pub stops: Vec<StopOrder>,
    #[serde(default)]
    pub removals: Vec<String>,
}

impl Orders {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { steps, stops, removals } = self;
        steps.is_empty() && stops.is_empty() && removals.is_empty()
    }
}

/// A step to run, or to follow if it has been started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepOrder {
    pub name: String,
    /// How many lines of its log the server has.
    pub lines: u64,
    /// None if the step has been started.
    #[serde(default)]
    pub step: Option<WireStep>,
}

/// A step to stop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopOrder {
    pub name: String,
    pub grace_seconds: u64,
}

/// What has become of the steps of an agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub session: Uuid,
    #[serde(default)]
    pub steps: Vec<StepReport>,
    /// Those that it has removed.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// The state of one step. Its end is reported after its last line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepReport {
    pub name: String,
    pub state: WireState,
    #[serde(default)]
    pub started_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub finished_at: Option<DateTime<Utc>>,
    /// The files that it left, with an end.
    #[serde(default)]
    pub outputs: Vec<WireOutput>,
}

/// A file that a step left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireOutput {
    pub file: String,
    /// In base64; none if it was refused.
    #[serde(default)]
    pub content: Option<String>,
    /// Why it cannot be read.
    #[serde(default)]
    pub refused: Option<String>,
}

/// `StepState`, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WireState {
    Starting { reason: Option<String> },
    Running,
    Exited { exit_code: i32, reason: Option<String> },
    Failed { exit_code: Option<i32>, reason: String },
    CannotStart { reason: String },
    Lost,
}

impl WireState {
    /// Whether the step has ended.
    #[must_use]
    pub fn is_end(&self) -> bool {
        !matches!(self, Self::Starting { .. } | Self::Running)
    }
}

impl From<StepState> for WireState {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Starting { reason } => Self::Starting { reason },
            StepState::Running => Self::Running,
            StepState::Exited { exit_code, reason } => Self::Exited { exit_code, reason },
            StepState::Failed { exit_code, reason } => Self::Failed { exit_code, reason },
            StepState::CannotStart { reason } => Self::CannotStart { reason },
            StepState::Lost | StepState::Unknown => Self::Lost,
        }
    }
}

impl From<WireState> for StepState {
    fn from(state: WireState) -> Self {
        match state {
            WireState::Starting { reason } => Self::Starting { reason },
            WireState::Running => Self::Running,
            WireState::Exited { exit_code, reason } => Self::Exited { exit_code, reason },
            WireState::Failed { exit_code, reason } => Self::Failed { exit_code, reason },
            WireState::CannotStart { reason } => Self::CannotStart { reason },
            WireState::Lost => Self::Lost,
        }
    }
}

impl StepReport {
    /// When the step started and ended.
    #[must_use]
    pub fn times(&self) -> StepTimes {
        StepTimes { started_at: self.started_at, finished_at: self.finished_at, attempts: None }
    }
}

/// Lines of the log of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogLines {
    pub session: Uuid,
    pub name: String,
    /// How many lines come before them.
    pub first: u64,
    pub lines: Vec<WireLine>,
}

/// How many lines of a log the server has. An agent that sent others goes on from there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogStored {
    pub lines: u64,
    /// Whether the server has no room for more at the moment.
    #[serde(default)]
    pub full: bool,
}

/// `Line`, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireLine {
    pub at: DateTime<Utc>,
    /// Whether it was written to the standard error.
    #[serde(default)]
    pub stderr: bool,
    pub text: String,
    #[serde(default)]
    pub open: bool,
}

impl From<Line> for WireLine {
    fn from(line: Line) -> Self {
        let Line { at, stream, text, open } = line;
        Self { at, stderr: stream == Stream::Stderr, text, open }
    }
}

impl From<WireLine> for Line {
    fn from(line: WireLine) -> Self {
        let WireLine { at, stderr, text, open } = line;
        Self { at, stream: if stderr { Stream::Stderr } else { Stream::Stdout }, text, open }
    }
}
