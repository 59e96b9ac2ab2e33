//! Messages that are under way side by side. What hangs takes one place, and a place that becomes free can be taken at once.

use std::collections::HashMap;
use std::future::pending;
use std::pin::pin;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use uuid::Uuid;

use crate::store::outbox::Room;

/// The most messages that are under way. One that hangs costs a connection.
const PLACES: usize = 64;
/// The most of them that were tried before, so that what hangs again and again leaves places for what is new.
const RETRIES: usize = 32;

/// The messages that are under way, at most one to each destination.
#[derive(Default)]
pub struct Places<'a> {
    sending: FuturesUnordered<BoxFuture<'a, Uuid>>,
    /// How often the message to a destination was tried before.
    busy: HashMap<Uuid, i32>,
}

impl<'a> Places<'a> {
    /// What can begin now.
    #[must_use]
    pub fn room(&self) -> Room {
        let retries = self.busy.values().filter(|attempts| **attempts > 0).count();
        Room {
            busy: self.busy.keys().copied().collect(),
            places: PLACES.saturating_sub(self.busy.len()),
            retries: RETRIES.saturating_sub(retries),
        }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.busy.is_empty()
    }

    /// Begins to send a message that was tried before as often as `attempts` says.
    pub fn begin(&mut self, to: Uuid, attempts: i32, sending: impl Future<Output = ()> + Send + 'a) {
        self.busy.insert(to, attempts);
        self.sending.push(Box::pin(async move {
            sending.await;
            to
        }));
    }

    /// Does something while the messages go on. They may hold what it waits for, such as the turn to write.
    pub async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = self.one_ends() => {}
            }
        }
    }

    /// Waits until one of the messages ends; forever if there is none.
    pub async fn one_ends(&mut self) {
        match self.sending.next().await {
            Some(to) => {
                self.busy.remove(&to);
            }
            None => pending().await,
        }
    }
}
