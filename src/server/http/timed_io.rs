//! A connection that fails when its client takes too long to send or to receive.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::open_connections::Place;
use super::waiting::Waiting;
use crate::observe::metrics::Slow;

/// A stream with time limits. It occupies its place among the open connections, also after it has become a web socket.
pub(super) struct TimedIo<T> {
    inner: T,
    waiting: Arc<Waiting>,
    reading: Timer,
    writing: Timer,
    /// When the client has to have received something.
    send_until: Option<Instant>,
    _place: Place,
}

impl<T> TimedIo<T> {
    pub(super) fn new(inner: T, waiting: Arc<Waiting>, place: Place) -> Self {
        Self { inner, waiting, reading: Timer::default(), writing: Timer::default(), send_until: None, _place: place }
    }

    /// Fails what waits for the client, once it has waited for too long.
    fn limited<R>(&mut self, sent: Poll<io::Result<R>>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        if sent.is_ready() {
            self.send_until = None;
            return sent;
        }
        let until = *self.send_until.get_or_insert_with(|| Instant::now() + self.waiting.limits.send);
        if self.writing.has_passed(until, cx) {
            self.waiting.gave_up(Slow::Response);
            return Poll::Ready(Err(too_slow()));
        }
        Poll::Pending
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client took too long")
}

/// A timer that is created when it is first needed.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether the time has passed; otherwise the task is woken then.
    fn has_passed(&mut self, until: Instant, cx: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        sleep.as_mut().poll(cx).is_ready()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for TimedIo<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, buf);
        match (&read, this.waiting.until()) {
            (Poll::Ready(_), _) => {
                if buf.filled().len() > before {
                    this.waiting.received();
                }
                read
            }
            (Poll::Pending, Some(until)) if this.reading.has_passed(until, cx) => {
                this.waiting.gave_up(Slow::Headers);
                Poll::Ready(Err(too_slow()))
            }
            (Poll::Pending, _) => Poll::Pending,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for TimedIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.limited(sent, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.inner).poll_flush(cx);
        self.limited(sent, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.limited(sent, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.inner).poll_write_vectored(cx, buffers);
        self.limited(sent, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
