//! Starts a step, sends its lines and reports its state, until its end is reported.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::Instant;

use super::agent_link::CallError;
use super::held_steps::Held;
use super::retry_pause::Backoff;
use super::running_agent::Agent;
use crate::runner::agent::protocol::{MOST_BODY_BYTES, StepOrder, StepReport, WireLine, WireOutput, WireState};
use crate::runner::terraform::layout::RESULT_FILE;
use crate::runner::{OUTPUT_BYTES, OUTPUT_FILE, OutputError, StepSpec, StepState, StepTimes};

/// How often a step without news is looked at.
const GLANCE: Duration = Duration::from_secs(5);

/// The pause after a call of the runner that failed, and while the server has no room for more lines.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the rest of the log and the outputs of an ended step are waited for, if the runner cannot read them.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many lines are read at once.
const LINES: usize = 1000;

/// The most bytes of lines that are sent at once.
const SENT_BYTES: usize = MOST_BODY_BYTES * 3 / 4;

/// One step that is followed.
struct Follower {
    agent: Arc<Agent>,
    held: Arc<Held>,
    name: String,
    /// How many lines the server has.
    sent: u64,
    /// What was reported last.
    told: Option<WireState>,
}

/// Why the log was not copied to its end.
enum Stuck {
    Runner(String),
    /// It is away, or has no room.
    Server,
    /// It does not know the step.
    Gone,
}

/// Follows a step until its end is reported.
pub(super) async fn follow(agent: Arc<Agent>, held: Arc<Held>, order: StepOrder) {
    let StepOrder { name, lines, step } = order;
    let mut follower = Follower { agent: Arc::clone(&agent), held, name, sent: lines, told: None };
    let spec = match step {
        None => None,
        Some(wire) => match agent.engine.adapted(wire.step(&follower.name)).await {
            Ok(spec) => Some(spec),
            Err(reason) => {
                follower.end(WireState::CannotStart { reason }, StepTimes::default(), Vec::new()).await;
                return;
            }
        },
    };
    follower.run(spec).await;
}

impl Follower {
    async fn run(&mut self, mut spec: Option<StepSpec>) {
        let runner = Arc::clone(&self.agent.engine.runner);
        let mut starts = 0_u32;
        loop {
            let state = match runner.poll(&self.name).await {
                Ok(state) => state,
                Err(error) => {
                    tracing::warn!(step = self.name, reason = error.0, "the runner does not answer; will retry");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // An agent that was killed may have started the step, so its runner is asked before each start.
            if state == StepState::Unknown && spec.is_some() && self.held.stopping.load(Ordering::SeqCst) {
                let reason = "the step was stopped before it started".to_owned();
                return self.end(WireState::CannotStart { reason }, StepTimes::default(), Vec::new()).await;
            }
            if let Some(step) = spec.as_mut().filter(|_| state == StepState::Unknown) {
                if starts > 0 {
                    tokio::time::sleep(PAUSE).await;
                }
                starts += 1;
                step.permit = Some(self.agent.fence.permit(&self.agent.clock));
                if let Err(error) = runner.start(step).await {
                    tracing::warn!(step = self.name, reason = error.0, "step could not be started; will retry");
                }
                continue;
            }
            if !matches!(state, StepState::Starting { .. }) {
                // What was started is never started again.
                spec = None;
            }
            let state = WireState::from(state);
            if matches!(state, WireState::CannotStart { .. }) {
                // There is no log, and an engine without a container does not answer for one.
                let times = self.times().await;
                return self.end(state, times, Vec::new()).await;
            }
            if state.is_end() {
                return self.finish(state).await;
            }
            if self.told.as_ref() != Some(&state) && self.report(state.clone()).await {
                self.told = Some(state);
            }
            if self.held.stopping.load(Ordering::SeqCst) {
                // It may have started while it was asked to stop; a runner that knows does nothing.
                let grace = Duration::from_secs(self.held.grace_seconds.load(Ordering::SeqCst));
                let _again = runner.stop(&self.name, grace).await;
            }
            let pause = match self.copy_log().await {
                Ok(_) => GLANCE,
                Err(Stuck::Server | Stuck::Runner(_)) => PAUSE,
                Err(Stuck::Gone) => return self.give_up(),
            };
            let _late = tokio::time::timeout(pause, self.held.news.notified()).await;
        }
    }

    /// Leaves a step alone that the server does not know any more.
    fn give_up(&self) {
        tracing::warn!(step = self.name, "the server does not know the step; it is left alone");
        self.held.reported.store(true, Ordering::SeqCst);
        self.agent.held.changed.notify_one();
    }

    async fn times(&self) -> StepTimes {
        self.agent.engine.runner.times(&self.name).await.unwrap_or_default()
    }

    /// Reports a state that is not an end; false if the server is away.
    async fn report(&self, state: WireState) -> bool {
        let StepTimes { started_at, finished_at, attempts: _ } = self.times().await;
        let report = StepReport { name: self.name.clone(), state, started_at, finished_at, outputs: Vec::new() };
        self.agent.link.report(report).await.is_ok()
    }

    /// Sends the rest of the log and the outputs, and then reports the end.
    async fn finish(&mut self, state: WireState) {
        let mut patience: Option<Instant> = None;
        loop {
            match self.copy_log().await {
                Ok(true) => break,
                Ok(false) | Err(Stuck::Server) => patience = None,
                Err(Stuck::Gone) => return self.give_up(),
                Err(Stuck::Runner(reason)) => {
                    let since = *patience.get_or_insert_with(Instant::now);
                    if since.elapsed() > PATIENCE {
                        tracing::warn!(step = self.name, reason, "the end of the log cannot be read");
                        break;
                    }
                }
            }
            let _late = tokio::time::timeout(PAUSE, self.held.news.notified()).await;
        }
        let times = self.times().await;
        let outputs = match state {
            WireState::Exited { .. } => self.outputs().await,
            _ => Vec::new(),
        };
        let state = if self.held.interrupted.load(Ordering::SeqCst) { interrupted(state) } else { state };
        self.end(state, times, outputs).await;
    }

    /// Reports an end, until the server has it.
    async fn end(&self, state: WireState, times: StepTimes, outputs: Vec<WireOutput>) {
        let StepTimes { started_at, finished_at, attempts: _ } = times;
        let report = StepReport { name: self.name.clone(), state, started_at, finished_at, outputs };
        let mut backoff = Backoff::default();
        // Any other answer ends the agent.
        while let Err(CallError::Away(_)) = self.agent.link.report(report.clone()).await {
            backoff.pause().await;
        }
        tracing::info!(step = self.name, state = ?report.state, "step ended");
        self.held.reported.store(true, Ordering::SeqCst);
        self.agent.held.changed.notify_one();
    }

    /// Sends the lines that the server does not have. Returns whether the log has ended.
    async fn copy_log(&mut self) -> Result<bool, Stuck> {
        let runner = Arc::clone(&self.agent.engine.runner);
        loop {
            let read = runner.logs(&self.name, self.sent, LINES).await.map_err(|error| Stuck::Runner(error.0))?;
            let (is_full, end) = (read.is_full(LINES), read.end);
            if read.lines.is_empty() {
                return Ok(end);
            }
            let next = self.sent + read.lines.len() as u64;
            let lines = fitting(read.lines.into_iter().map(WireLine::from).collect());
            let stored = self.agent.link.log(&self.name, self.sent, lines).await.map_err(|error| match error {
                CallError::Gone(_) => Stuck::Gone,
                _ => Stuck::Server,
            })?;
            if stored.full {
                return Err(Stuck::Server);
            }
            self.sent = stored.lines;
            runner.lines_stored(&self.name, self.sent);
            // The server may have had some of them, or not all of what was read was sent.
            if stored.lines == next && !is_full {
                return Ok(end);
            }
        }
    }

    /// The files that the step left for the server.
    async fn outputs(&self) -> Vec<WireOutput> {
        let mut outputs = Vec::new();
        for file in [OUTPUT_FILE, RESULT_FILE] {
            let since = Instant::now();
            loop {
                match self.agent.engine.runner.output(&self.name, file, OUTPUT_BYTES).await {
                    Ok(None) => {}
                    Ok(Some(content)) => outputs.push(WireOutput {
                        file: file.to_owned(),
                        content: Some(STANDARD.encode(content)),
                        refused: None,
                    }),
                    Err(OutputError::Unavailable(_)) if since.elapsed() < PATIENCE => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Err(OutputError::Unavailable(reason) | OutputError::Refused(reason)) => {
                        outputs.push(WireOutput { file: file.to_owned(), content: None, refused: Some(reason) });
                    }
                }
                break;
            }
        }
        outputs
    }
}

/// The first lines, as many as one request may have. JSON writes some characters as six.
fn fitting(mut lines: Vec<WireLine>) -> Vec<WireLine> {
    let mut bytes = 0;
    let mut fits = |line: &WireLine| {
        let size = serde_json::to_vec(line).map_or(0, |text| text.len());
        let before = bytes;
        bytes += size;
        before == 0 || bytes <= SENT_BYTES
    };
    let count = lines.iter().take_while(|line| fits(line)).count();
    lines.truncate(count);
    lines
}

/// The end of a step that was stopped because the agent ends: what it has done so far may be incomplete, whatever its exit code is.
fn interrupted(state: WireState) -> WireState {
    match state {
        WireState::Exited { exit_code, .. } => WireState::Exited {
            exit_code: if exit_code == 0 { 143 } else { exit_code },
            reason: Some("the agent shut down and stopped the run".into()),
        },
        other => other,
    }
}
