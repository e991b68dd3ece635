//! Message buffers for calls: a thread keeps those that it used, so that a call needs none of its own.

use portcullis_ipc::MsgBuf;
use std::cell::Cell;
use std::mem::ManuallyDrop;

/// What one call needs.
#[derive(Debug, Default)]
struct Buffers {
    send: MsgBuf,
    receive: MsgBuf,
}

thread_local! {
    /// Not here while a call uses it: a call within that one, which only the encoding of an argument can make, gets one
    /// of its own.
    static SPARE: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// Runs `work` with two empty messages. What they hold afterwards is dropped.
#[inline]
pub(crate) fn with_buffers<R>(work: impl FnOnce(&mut MsgBuf, &mut MsgBuf) -> R) -> R {
    // A thread that ends calls when this may be gone already.
    let mut buffers = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(first);
    // What is never dropped while a panic passes need not lie in memory.
    let result = ManuallyDrop::new(work(&mut buffers.send, &mut buffers.receive));
    // The capabilities go now, not with the next call.
    buffers.send.clear();
    buffers.receive.clear();
    let _ = SPARE.try_with(|spare| spare.set(Some(buffers)));
    ManuallyDrop::into_inner(result)
}

/// Those of a thread that has none yet.
#[cold]
fn first() -> Box<Buffers> {
    Box::default()
}
