//! Message buffers for calls: a thread keeps those that it used, so that a call needs none of its own.

use portcullis_ipc::MsgBuf;
use std::cell::RefCell;

/// What one call needs.
#[derive(Debug, Default)]
struct Buffers {
    send: MsgBuf,
    receive: MsgBuf,
}

thread_local! {
    /// One pair for each depth of calls within calls that the thread has seen (encoding may call). Boxed, since they
    /// are moved in and out for each call.
    #[allow(clippy::vec_box)]
    static SPARE: RefCell<Vec<Box<Buffers>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with two empty messages. What they hold afterwards is dropped.
#[inline]
pub(crate) fn with_buffers<R>(work: impl FnOnce(&mut MsgBuf, &mut MsgBuf) -> R) -> R {
    let spare = SPARE.with(|spare| spare.borrow_mut().pop());
    let mut buffers = spare.unwrap_or_default();
    let result = work(&mut buffers.send, &mut buffers.receive);
    // The capabilities go now, not with the next call.
    buffers.send.clear();
    buffers.receive.clear();
    SPARE.with(|spare| spare.borrow_mut().push(buffers));
    result
}
