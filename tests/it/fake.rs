//! A runner that a test controls, and that records every call.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use windlass::runner::{Line, Lines, OutputError, Runner, StepSpec, StepState, StepTimes, Stream, Target, Unavailable};

#[derive(Default)]
pub(crate) struct FakeRunner {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    steps: BTreeMap<String, Step>,
    /// Every step that was created.
    started: Vec<StepSpec>,
    stopped: Vec<String>,
    /// How often a step was polled.
    polls: usize,
    down: bool,
    logs_down: bool,
    place: Option<String>,
    /// The step that cannot be removed.
    stuck: Option<String>,
    /// The exit code of steps that are stopped; 143 by default.
    stop_exit_code: Option<i32>,
    /// Why no step can be started.
    no_start: Option<String>,
    /// The step for which no call is answered.
    silent: Option<String>,
    /// The times of every step.
    times: StepTimes,
}

struct Step {
    progress: StepState,
    lines: Vec<Line>,
    output: Option<Vec<u8>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl FakeRunner {
    /// The names of the present steps.
    pub(crate) fn steps(&self) -> Vec<String> {
        self.state.lock().unwrap().steps.keys().cloned().collect()
    }

    /// Every step that was created, in order.
    pub(crate) fn started(&self) -> Vec<StepSpec> {
        self.state.lock().unwrap().started.clone()
    }

    pub(crate) fn stopped(&self) -> Vec<String> {
        self.state.lock().unwrap().stopped.clone()
    }

    /// From now on, polls of this step are not answered; without one, all are.
    pub(crate) fn set_silent(&self, name: Option<String>) {
        self.state.lock().unwrap().silent = name;
    }

    /// How often a step was polled since the last call.
    pub(crate) fn take_polls(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().polls)
    }

    /// Adds lines to the log of a step.
    pub(crate) fn write(&self, name: &str, lines: &[&str]) {
        let mut state = self.state.lock().unwrap();
        let step = state.steps.get_mut(name).unwrap();
        let at = DateTime::<Utc>::UNIX_EPOCH;
        step.lines.extend(lines.iter().map(|text| Line {
            at,
            stream: Stream::Stdout,
            text: (*text).to_owned(),
            open: false,
        }));
    }

    /// Adds lines to the error output of a step.
    pub(crate) fn write_errors(&self, name: &str, lines: &[&str]) {
        let mut state = self.state.lock().unwrap();
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let lines = lines.iter().map(|text| Line { at, stream: Stream::Stderr, text: (*text).to_owned(), open: false });
        state.steps.get_mut(name).unwrap().lines.extend(lines);
    }

    /// Adds a line that may go on in the next one.
    pub(crate) fn write_open(&self, name: &str, text: &str) {
        let mut state = self.state.lock().unwrap();
        let (at, text) = (DateTime::<Utc>::UNIX_EPOCH, text.to_owned());
        state.steps.get_mut(name).unwrap().lines.push(Line { at, stream: Stream::Stdout, text, open: true });
    }

    /// Sets the state of a step.
    pub(crate) fn set(&self, name: &str, progress: StepState) {
        self.state.lock().unwrap().steps.get_mut(name).unwrap().progress = progress;
    }

    /// Ends all steps with an exit code.
    pub(crate) fn exit_all(&self, exit_code: i32) {
        for name in self.steps() {
            self.set(&name, StepState::Exited { exit_code, reason: None });
        }
    }

    /// Sets the output file of a step.
    pub(crate) fn leave(&self, name: &str, output: &str) {
        self.state.lock().unwrap().steps.get_mut(name).unwrap().output = Some(output.into());
    }

    /// Sets one of the files that a step leaves, instead of the output file.
    pub(crate) fn leave_file(&self, name: &str, file: &str, content: &[u8]) {
        self.state.lock().unwrap().steps.get_mut(name).unwrap().files.insert(file.to_owned(), content.to_owned());
    }

    /// Changes the engine that the server is connected to.
    pub(crate) fn set_place(&self, place: &str) {
        self.state.lock().unwrap().place = Some(place.to_owned());
    }

    /// Sets the exit code of steps that are stopped.
    pub(crate) fn exit_when_stopped(&self, exit_code: i32) {
        self.state.lock().unwrap().stop_exit_code = Some(exit_code);
    }

    /// Lets the start of every step fail, or succeed again.
    pub(crate) fn fail_starts(&self, reason: Option<&str>) {
        self.state.lock().unwrap().no_start = reason.map(str::to_owned);
    }

    /// Sets when every step started and ended by the clock of the engine.
    pub(crate) fn set_times(&self, started_at: DateTime<Utc>, finished_at: DateTime<Utc>) {
        let (started_at, finished_at) = (Some(started_at), Some(finished_at));
        self.state.lock().unwrap().times = StepTimes { started_at, finished_at, attempts: None };
    }

    /// Removes a step, as if somebody had done so manually.
    pub(crate) fn lose(&self, name: &str) {
        self.state.lock().unwrap().steps.remove(name);
    }

    /// Lets every call fail, or succeed again.
    pub(crate) fn set_down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    /// Lets reading logs fail, or succeed again.
    pub(crate) fn set_logs_down(&self, down: bool) {
        self.state.lock().unwrap().logs_down = down;
    }

    /// Lets the removal of a step fail.
    pub(crate) fn set_stuck(&self, name: &str) {
        self.state.lock().unwrap().stuck = Some(name.to_owned());
    }

    fn up(&self) -> Result<std::sync::MutexGuard<'_, State>, Unavailable> {
        let state = self.state.lock().unwrap();
        if state.down { Err(Unavailable("the engine is down".into())) } else { Ok(state) }
    }
}

#[async_trait]
impl Runner for FakeRunner {
    fn target(&self) -> Target {
        Target::Docker
    }

    async fn place(&self) -> Result<String, Unavailable> {
        Ok(self.up()?.place.clone().unwrap_or_else(|| "fake".to_owned()))
    }

    async fn output(&self, name: &str, file: &str, _most: u64) -> Result<Option<Vec<u8>>, OutputError> {
        Ok(self.up()?.steps.get(name).and_then(|step| step.files.get(file).cloned().or_else(|| step.output.clone())))
    }

    async fn start(&self, step: &StepSpec) -> Result<(), Unavailable> {
        let mut state = self.up()?;
        if !state.steps.contains_key(&step.name) {
            let progress = match state.no_start.clone() {
                Some(reason) => StepState::CannotStart { reason },
                None => StepState::Running,
            };
            state
                .steps
                .insert(step.name.clone(), Step { progress, lines: Vec::new(), output: None, files: BTreeMap::new() });
            state.started.push(step.clone());
        }
        Ok(())
    }

    async fn poll(&self, name: &str) -> Result<StepState, Unavailable> {
        while self.state.lock().unwrap().silent.as_deref() == Some(name) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let mut state = self.up()?;
        state.polls += 1;
        Ok(state.steps.get(name).map_or(StepState::Unknown, |step| step.progress.clone()))
    }

    async fn times(&self, _name: &str) -> Result<StepTimes, Unavailable> {
        Ok(self.state.lock().unwrap().times)
    }

    async fn stop(&self, name: &str, _grace: Duration) -> Result<(), Unavailable> {
        let mut state = self.up()?;
        state.stopped.push(name.to_owned());
        let exit_code = state.stop_exit_code.unwrap_or(143);
        if let Some(step) = state.steps.get_mut(name) {
            step.progress = StepState::Exited { exit_code, reason: None };
        }
        Ok(())
    }

    async fn logs(&self, name: &str, skip: u64, limit: usize) -> Result<Lines, Unavailable> {
        let state = self.up()?;
        if state.logs_down {
            return Err(Unavailable("the log is gone".into()));
        }
        let Some(step) = state.steps.get(name) else { return Ok(Lines { lines: Vec::new(), end: true }) };
        let skip = usize::try_from(skip).unwrap();
        let lines: Vec<Line> = step.lines.iter().skip(skip).take(limit).cloned().collect();
        let end = step.progress != StepState::Running && skip + lines.len() == step.lines.len();
        Ok(Lines { lines, end })
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        let mut state = self.up()?;
        if state.stuck.as_deref() == Some(name) {
            return Err(Unavailable("the step is stuck".into()));
        }
        // The steps are on the first engine.
        if state.place.as_deref().is_none_or(|place| place == "fake") {
            state.steps.remove(name);
        }
        Ok(())
    }

    async fn list(&self) -> Result<Vec<String>, Unavailable> {
        Ok(self.up()?.steps.keys().cloned().collect())
    }

    async fn close(&self) {}
}
