//! The loops of a server, each a task of its own: a timer wakes the one that waits for it, on the thread that noticed it.

use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Loops that run until they end; they are ended when this is dropped.
#[derive(Default)]
pub(super) struct Loops(JoinSet<()>);

impl Loops {
    pub(super) fn add(&mut self, running: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(running);
    }

    /// A loop that borrows what it works for.
    pub(super) fn add_of(
        &mut self,
        app: &Arc<App>,
        drained: &CancellationToken,
        run: impl for<'a> FnOnce(&'a Arc<App>, CancellationToken) -> Running<'a> + Send + 'static,
    ) {
        let (app, drained) = (Arc::clone(app), drained.clone());
        self.add(async move { run(&app, drained).await });
    }

    /// Waits until all have ended. A panic of one of them goes on in the caller.
    pub(super) async fn all(mut self) {
        while let Some(ended) = self.0.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
