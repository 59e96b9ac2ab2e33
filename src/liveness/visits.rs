//! Which running runs of this server have to be visited, and when the runner of each last answered.
//!
//! Most runs are quiet: their step runs, and everything it has written is stored. They are visited when their runner reports news,
//! when their own time has come, and when their cancellation is requested; and each is glanced at every few seconds. All others are
//! visited again and again. Kept in memory only: nothing is lost if it is incomplete, because all runs are listed regularly.
//!
//! Passes do not wait for visits, but a run has one visit at a time: the next one begins when its `Visit` is dropped, and reads the row
//! of the run after that.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use entity::id::RunId;
use entity::run::RunnerKind;

use super::wake::Wake;

/// Within how many looks each quiet run is glanced at.
const ROUND: usize = 10;
/// After how many looks the runs are listed again.
const LISTED_EVERY: u32 = 20;

/// A step that runs, and of which all lines are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietStep {
    pub name: String,
    pub runner: RunnerKind,
    pub place: String,
    /// How many lines of it are stored.
    pub lines: u64,
    /// When the run has to be visited whatever its runner reports.
    pub until: Option<DateTime<Utc>>,
}

/// How many runs a pass visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those that something happened to.
    News,
    /// Those and all that are not quiet, with a glance at some of the others.
    Look,
    /// All.
    All,
}

/// What a pass has to do.
#[derive(Default)]
pub struct Round {
    pub visits: Vec<Visit>,
    /// The runs to glance at.
    pub glances: Vec<(RunId, QuietStep)>,
}

#[derive(Default)]
struct Watched {
    /// Visited by the next pass.
    due: BTreeSet<RunId>,
    /// Visited by the next look.
    open: BTreeSet<RunId>,
    quiet: BTreeMap<RunId, QuietStep>,
    /// Those that are being visited.
    visited: HashSet<RunId>,
    /// The step of each run that was visited.
    steps: HashMap<RunId, String>,
    runs: HashMap<String, RunId>,
    times: BTreeSet<(DateTime<Utc>, RunId)>,
    seen: HashMap<RunId, DateTime<Utc>>,
    cancelled: HashSet<RunId>,
    /// The last run that was glanced at.
    last: Option<RunId>,
    /// How many runs each look of this round glances at, and how many looks are left.
    share: usize,
    looks_of_round: usize,
    looks_until_list: u32,
}

impl Watched {
    fn wake(&mut self, id: RunId) {
        if let Some(until) = self.quiet.remove(&id).and_then(|step| step.until) {
            self.times.remove(&(until, id));
        }
        self.open.remove(&id);
        self.due.insert(id);
    }

    /// The open runs that nobody visits at the moment.
    fn open_and_free(&self) -> impl Iterator<Item = RunId> {
        self.open.iter().copied().filter(|id| !self.visited.contains(id))
    }

    fn knows(&self, id: RunId) -> bool {
        self.due.contains(&id) || self.open.contains(&id) || self.quiet.contains_key(&id)
    }

    fn forget(&mut self, id: RunId) {
        self.wake(id);
        self.due.remove(&id);
        if let Some(step) = self.steps.remove(&id) {
            self.runs.remove(&step);
        }
        self.seen.remove(&id);
        self.cancelled.remove(&id);
    }

    /// The next quiet runs in turn. Their number is that of the beginning of a round, however many leave it meanwhile.
    fn slice(&mut self) -> Vec<(RunId, QuietStep)> {
        if self.looks_of_round == 0 || self.quiet.len() > self.share * ROUND {
            (self.share, self.looks_of_round) = (self.quiet.len().div_ceil(ROUND), ROUND);
        }
        self.looks_of_round -= 1;
        let count = self.share.min(self.quiet.len());
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.quiet.range((after, Bound::Unbounded));
        let first = self.quiet.range(..=self.last.unwrap_or(RunId(uuid::Uuid::nil())));
        let slice: Vec<_> = rest.chain(first).take(count).map(|(id, step)| (*id, step.clone())).collect();
        self.last = slice.last().map_or(self.last, |(id, _)| Some(*id));
        slice
    }
}

/// The running runs of this server, as far as it knows them.
#[derive(Clone, Default)]
pub struct Visits {
    watched: Arc<Mutex<Watched>>,
    /// Woken when a run that is to be visited again can be.
    wake: Wake,
}

/// The visit of a run. While it exists, there is no other one.
pub struct Visit {
    visits: Visits,
    id: RunId,
}

impl Visit {
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let again = {
            let mut all = self.visits.lock();
            all.visited.remove(&self.id);
            all.due.contains(&self.id)
        };
        if again {
            self.visits.wake.again();
        }
    }
}

impl Visits {
    #[must_use]
    pub fn new(wake: Wake) -> Self {
        Self { watched: Arc::default(), wake }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next pass has to do. Every run that it visits is open until the pass says that it is quiet or gone.
    pub fn next(&self, scope: Scope, news: &HashSet<String>, now: DateTime<Utc>) -> Round {
        let mut all = self.lock();
        let mut round = Round::default();
        let mut ids: Vec<RunId> = news.iter().filter_map(|name| all.runs.get(name)).copied().collect();
        ids.extend(all.times.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id));
        match scope {
            Scope::News => {}
            Scope::Look => ids.extend(all.open_and_free()),
            Scope::All => ids.extend(all.open_and_free().chain(all.quiet.keys().copied())),
        }
        for id in ids {
            all.wake(id);
        }
        if scope == Scope::Look {
            round.glances = all.slice();
        }
        let due = std::mem::take(&mut all.due);
        let (later, now): (BTreeSet<RunId>, BTreeSet<RunId>) = due.into_iter().partition(|id| all.visited.contains(id));
        all.due = later;
        all.open.extend(&now);
        all.visited.extend(&now);
        round.visits = now.into_iter().map(|id| Visit { visits: self.clone(), id }).collect();
        round
    }

    /// Whether a pass has to list the running runs first, for `listed`.
    pub fn lists(&self, scope: Scope) -> bool {
        let mut all = self.lock();
        match scope {
            Scope::News => return false,
            Scope::Look if all.looks_until_list > 0 => {
                all.looks_until_list -= 1;
                return false;
            }
            Scope::Look | Scope::All => all.looks_until_list = LISTED_EVERY,
        }
        true
    }

    /// Lets the next look list the running runs, because some may be unknown.
    pub fn list_soon(&self) {
        self.lock().looks_until_list = 0;
    }

    /// Whether no run is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let all = self.lock();
        all.due.is_empty() && all.open.is_empty() && all.quiet.is_empty()
    }

    /// Records which running runs this server has. Those that were unknown are visited at once.
    pub fn listed(&self, ids: &[RunId]) {
        let mut all = self.lock();
        let there: HashSet<RunId> = ids.iter().copied().collect();
        let known = all.due.iter().chain(&all.open).chain(all.quiet.keys());
        let gone: Vec<RunId> = known.filter(|id| !there.contains(id)).copied().collect();
        for id in gone {
            all.forget(id);
        }
        for id in ids {
            if !all.knows(*id) {
                all.due.insert(*id);
            }
        }
    }

    /// Lets the next pass visit runs.
    pub fn visit(&self, ids: impl IntoIterator<Item = RunId>) {
        let mut all = self.lock();
        for id in ids {
            all.wake(id);
        }
    }

    /// Lets the next pass visit those of these cancelled runs that no pass has visited since their cancellation.
    pub fn cancelled(&self, ids: Vec<RunId>) {
        let mut all = self.lock();
        for id in ids {
            if all.cancelled.insert(id) {
                all.wake(id);
            }
        }
    }

    /// Records the step of a run, before its visit.
    pub fn named(&self, id: RunId, step: &str) {
        let mut all = self.lock();
        if all.steps.get(&id).is_none_or(|known| known != step) {
            if let Some(old) = all.steps.insert(id, step.to_owned()) {
                all.runs.remove(&old);
            }
            all.runs.insert(step.to_owned(), id);
        }
    }

    /// Records that a run needs no visit for the time being, unless it was to be visited again meanwhile.
    pub fn quiet(&self, id: RunId, step: QuietStep) {
        let mut all = self.lock();
        if all.open.remove(&id) {
            all.times.extend(step.until.map(|until| (until, id)));
            all.quiet.insert(id, step);
        }
    }

    /// Forgets a run that this server does not have.
    pub fn gone(&self, id: RunId) {
        self.lock().forget(id);
    }

    /// Records that the runner of a run has answered.
    pub fn seen(&self, id: RunId, now: DateTime<Utc>) {
        self.lock().seen.insert(id, now);
    }

    /// When the runner of a run last answered this server.
    #[must_use]
    pub fn seen_at(&self, id: RunId) -> Option<DateTime<Utc>> {
        self.lock().seen.get(&id).copied()
    }
}

#[cfg(test)]
#[path = "visits_tests.rs"]
mod tests;
