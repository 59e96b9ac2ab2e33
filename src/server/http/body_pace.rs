//! Limits how slowly the body of a request may arrive.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use poem::Body;
use tokio::time::Instant;

use super::limits_of_config::HttpLimits;
use super::waiting::Waiting;
use crate::observe::metrics::Slow;

/// Whether the body of a request arrived too slowly.
#[derive(Clone, Default)]
pub(super) struct TooSlow(Arc<AtomicBool>);

impl TooSlow {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// For how long this many bytes may be waited for. Only the time in which the server waits counts.
fn allowed(limits: &HttpLimits, bytes: u64) -> Duration {
    limits.body + Duration::from_secs(bytes / u64::from(limits.body_bytes_per_second.max(1)))
}

/// A body that fails when it arrives too slowly.
pub(super) fn paced(body: Body, waiting: Arc<Waiting>) -> (Body, TooSlow) {
    let too_slow = TooSlow::default();
    let state = (Box::pin(body.into_bytes_stream()), waiting, too_slow.clone(), Duration::ZERO, 0_u64);
    let stream = futures_util::stream::unfold(Some(state), async |state| {
        let (mut parts, waiting, too_slow, mut waited, mut bytes) = state?;
        let began = Instant::now();
        let left = allowed(&waiting.limits, bytes).saturating_sub(waited);
        let Ok(next) = tokio::time::timeout(left, parts.next()).await else {
            waiting.gave_up(Slow::Body);
            too_slow.0.store(true, Ordering::Relaxed);
            let error = io::Error::new(io::ErrorKind::TimedOut, "the body arrived too slowly");
            return Some((Err(error), None));
        };
        waited += began.elapsed();
        let part = next?;
        bytes += part.as_ref().map_or(0, |part| part.len() as u64);
        Some((part, Some((parts, waiting, too_slow, waited, bytes))))
    });
    (Body::from_bytes_stream(stream), too_slow)
}
