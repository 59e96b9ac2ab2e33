//! What a connection waits for, and until when.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::limits_of_config::HttpLimits;
use crate::observe::metrics::{Metrics, Slow};

/// What a connection waits for.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The first byte of the next request.
    Idle(Instant),
    /// The rest of its headers.
    Headers(Instant),
    /// The server, which is answering. The body of the request has its own limit.
    Answer,
}

/// What a connection waits for. The reader and the handler of the connection share it.
pub(super) struct Waiting {
    phase: Mutex<Phase>,
    pub(super) limits: HttpLimits,
    metrics: Metrics,
}

impl Waiting {
    /// A new connection, which has to send a request at once.
    pub(super) fn new(limits: HttpLimits, metrics: Metrics) -> Self {
        Self { phase: Mutex::new(Phase::Headers(Instant::now() + limits.headers)), limits, metrics }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have arrived: if they are the first of a request, the others have to follow.
    pub(super) fn received(&self) {
        let mut phase = self.phase();
        if matches!(*phase, Phase::Idle(_)) {
            *phase = Phase::Headers(Instant::now() + self.limits.headers);
        }
    }

    /// The headers of a request are complete.
    pub(super) fn began(&self) {
        *self.phase() = Phase::Answer;
    }

    /// The response is complete.
    pub(super) fn answered(&self) {
        *self.phase() = Phase::Idle(Instant::now() + self.limits.idle);
    }

    /// When to give the client up, if nothing arrives.
    pub(super) fn until(&self) -> Option<Instant> {
        match *self.phase() {
            Phase::Idle(until) | Phase::Headers(until) => Some(until),
            Phase::Answer => None,
        }
    }

    /// Counts a client that was given up. One that only kept its connection is none.
    pub(super) fn gave_up(&self, on: Slow) {
        let is_idle = on == Slow::Headers && matches!(*self.phase(), Phase::Idle(_));
        if !is_idle {
            self.metrics.client_too_slow(on);
        }
    }
}
