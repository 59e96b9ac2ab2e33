//! Requests of several tasks that one of them carries out together.
//!
//! Whoever comes while nobody works carries out its own request at once. Who comes meanwhile waits, and one of those who wait then
//! carries out what all of them have requested. Nothing goes on when a task is dropped: those whose requests it had taken request
//! again, so a request has to be one that may be repeated.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// The most requests that are carried out together: each number of them is a statement of its own, and all of them are kept.
const MOST: usize = 16;

type Waiting<Q, A> = Vec<(Q, oneshot::Sender<A>)>;

/// Requests of one kind.
pub struct Together<Q, A> {
    waiting: Mutex<Waiting<Q, A>>,
    turn: tokio::sync::Mutex<()>,
}

impl<Q, A> Default for Together<Q, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<Q: Clone, A> Together<Q, A> {
    /// The answer to a request. `work` is the same for all of them, and returns one answer for each, in their order.
    pub async fn ask<F: Future<Output = Vec<A>>>(&self, request: Q, work: impl Fn(Vec<Q>) -> F) -> A {
        loop {
            let (sender, mut answer) = oneshot::channel();
            self.waiting().push((request.clone(), sender));
            let _turn = tokio::select! {
                biased;
                answered = &mut answer => match answered {
                    Ok(answer) => return answer,
                    // Whoever had taken it was dropped.
                    Err(_) => continue,
                },
                turn = self.turn.lock() => turn,
            };
            loop {
                match answer.try_recv() {
                    Ok(answer) => return answer,
                    Err(TryRecvError::Closed) => break,
                    Err(TryRecvError::Empty) => {}
                }
                let (requests, senders): (Vec<Q>, Vec<oneshot::Sender<A>>) = self.take().into_iter().unzip();
                // Boxed, because it is much larger than what those need who wait.
                let answers = Box::pin(work(requests)).await;
                for (sender, answer) in senders.into_iter().zip(answers) {
                    // Whoever asked may be gone.
                    let _gone = sender.send(answer);
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Q, A>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first requests for whose answers somebody still waits.
    fn take(&self) -> Waiting<Q, A> {
        let mut waiting = self.waiting();
        waiting.retain(|(_, sender)| !sender.is_closed());
        let some = waiting.len().min(MOST);
        waiting.drain(..some).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::{MOST, Together};

    #[tokio::test]
    async fn those_who_wait_are_answered_together() {
        let (together, batches) = (Together::default(), Mutex::new(Vec::new()));
        let work = |requests: Vec<usize>| {
            batches.lock().unwrap().push(requests.len());
            async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                requests.into_iter().map(|request| request * 2).collect()
            }
        };
        let answers = join_all((0..MOST + 4).map(|request| together.ask(request, &work))).await;
        assert_eq!(answers, (0..MOST + 4).map(|request| request * 2).collect::<Vec<_>>());
        assert_eq!(*batches.lock().unwrap(), [1, MOST, 3]);
        assert_eq!(together.ask(7, &work).await, 14);
    }

    #[tokio::test]
    async fn what_was_taken_by_one_that_is_dropped_is_requested_again() {
        let together = Together::default();
        let never = |_: Vec<usize>| std::future::pending::<Vec<usize>>();
        let same = |requests: Vec<usize>| std::future::ready(requests);
        let dropped = async { tokio::time::timeout(Duration::from_millis(20), together.ask(1, never)).await };
        let waits = async {
            tokio::task::yield_now().await;
            tokio::time::timeout(Duration::from_secs(5), together.ask(2, same)).await
        };
        let (first, second) = tokio::join!(dropped, waits);
        assert!(first.is_err());
        assert_eq!(second.unwrap(), 2);

        // One that waits is taken, too, by one that is dropped.
        let begins = async {
            let work = async |requests: Vec<usize>| {
                tokio::time::sleep(Duration::from_millis(10)).await;
                requests
            };
            let work = |requests| work(requests);
            together.ask(3, work).await
        };
        let taker = async { tokio::time::timeout(Duration::from_millis(30), together.ask(4, never)).await };
        let waits = async { tokio::time::timeout(Duration::from_secs(5), together.ask(5, same)).await };
        let (begun, taken, waited) = tokio::join!(begins, taker, waits);
        assert!(taken.is_err());
        assert_eq!((begun, waited.unwrap()), (3, 5));
    }
}
