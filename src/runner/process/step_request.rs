//! How a step is requested over a socket: one byte, with the ends of pipes for its output, the length of the order, and the order.

use std::io::{IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use zeroize::Zeroizing;

use super::step_order::Order;

/// The byte before a request.
const NEXT: u8 = b'n';

/// How many files come with a request at most: for the output, for errors, and the control socket of a new supervisor.
const FILES: usize = 3;

/// A step to start.
pub(super) struct StepRequest {
    order: Zeroizing<Vec<u8>>,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    /// The socket over which a new supervisor is controlled.
    pub(super) control: Option<UnixStream>,
}

impl StepRequest {
    pub(super) fn order(&self) -> Option<Order> {
        Order::parse(&self.order)
    }
}

/// What comes over a socket.
pub(super) enum Received {
    /// One byte.
    Order(u8),
    Next(StepRequest),
}

/// Sends a request; `files` are `stdout`, `stderr` and `control`.
///
/// # Errors
/// The other side is gone, or does not read. It has not received the whole order then.
pub(super) fn send(mut socket: &UnixStream, order: &[u8], files: &[BorrowedFd<'_>]) -> std::io::Result<()> {
    let mut head = vec![NEXT];
    head.extend(u32::try_from(order.len()).map_err(std::io::Error::other)?.to_ne_bytes());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    attached.push(SendAncillaryMessage::ScmRights(files));
    let parts = [IoSlice::new(&head), IoSlice::new(order)];
    let sent = sendmsg(socket, &parts, &mut attached, SendFlags::NOSIGNAL)?;
    socket.write_all(head.get(sent..).unwrap_or_default())?;
    socket.write_all(order.get(sent.saturating_sub(head.len())..).unwrap_or_default())
}

/// Waits for what comes next; nothing if the server is gone.
pub(super) fn receive(mut socket: &UnixStream) -> Option<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut attached = RecvAncillaryBuffer::new(&mut space);
    let mut first = [0];
    let received = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut first)], &mut attached, RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            received => break received.ok()?.bytes,
        }
    };
    match (received, first) {
        (0, _) => None,
        (_, [NEXT]) => {
            let mut files: Vec<OwnedFd> = attached.drain().flat_map(files_of).flatten().collect();
            // No step may get them by accident.
            files.iter().try_for_each(|file| fcntl_setfd(file, FdFlags::CLOEXEC)).ok()?;
            let mut length = [0; size_of::<u32>()];
            socket.read_exact(&mut length).ok()?;
            let mut order = Zeroizing::new(vec![0; usize::try_from(u32::from_ne_bytes(length)).ok()?]);
            socket.read_exact(&mut order).ok()?;
            let control = (files.len() == FILES).then(|| files.pop()).flatten().map(UnixStream::from);
            let [stdout, stderr] = files.try_into().ok()?;
            Some(Received::Next(StepRequest { order, stdout, stderr, control }))
        }
        (_, [order]) => Some(Received::Order(order)),
    }
}

fn files_of(message: RecvAncillaryMessage<'_>) -> Option<Vec<OwnedFd>> {
    match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files.collect()),
        _ => None,
    }
}
