//! Reports when something was added to the log of a container while nobody reads it.

use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use crate::liveness::wake::Wake;

/// How many entries of a log are received before they are read.
const AHEAD: usize = 64;

/// The same log. New entries and its end are reported under the name of the step if nobody waits for them.
pub(super) fn reported<T: Send + 'static>(
    log: impl Stream<Item = T> + Send + 'static,
    name: String,
    wake: Wake,
) -> impl Stream<Item = T> + Send {
    let (sender, receiver) = mpsc::channel(AHEAD);
    #[expect(clippy::disallowed_methods, reason = "ends with its log, or when nobody reads the log any more")]
    tokio::spawn(async move {
        let mut log = std::pin::pin!(log);
        loop {
            let entry = tokio::select! {
                () = sender.closed() => return,
                entry = log.next() => entry,
            };
            let Some(entry) = entry else { break };
            let is_first = sender.capacity() == sender.max_capacity();
            if sender.send(entry).await.is_err() {
                return;
            }
            if is_first {
                wake.lines(&name);
            }
        }
        // The container has probably ended. An engine may end the log early, again and again, so this wakes nobody.
        drop(sender);
        wake.lines(&name);
    });
    futures_util::stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|entry| (entry, receiver)))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::reported;
    use crate::liveness::wake::Wake;

    #[tokio::test]
    async fn entries_and_the_end_are_reported_and_none_is_lost() {
        let wake = Wake::default();
        let (sender, entries) = channel();
        let mut log = std::pin::pin!(reported(entries, "a".to_owned(), wake.clone()));
        for entry in 0..200 {
            sender.send(entry).unwrap();
        }
        assert_eq!(log.next().await, Some(0));
        assert_eq!(wake.take_news().into_iter().collect::<Vec<_>>(), ["a"]);
        drop(sender);
        let rest: Vec<i32> = log.collect().await;
        assert_eq!(rest, (1..200).collect::<Vec<_>>());
        while !wake.take_news().contains("a") {
            tokio::task::yield_now().await;
        }
    }

    fn channel() -> (tokio::sync::mpsc::UnboundedSender<i32>, impl futures_util::Stream<Item = i32>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        let next = async |mut receiver: tokio::sync::mpsc::UnboundedReceiver<i32>| {
            receiver.recv().await.map(|entry| (entry, receiver))
        };
        (sender, futures_util::stream::unfold(receiver, next))
    }
}
