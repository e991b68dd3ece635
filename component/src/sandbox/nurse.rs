//! The thread that a component was made by, and that lives for as long as its parent wants the component to.
//!
//! The kernel ends a component by a signal when the *thread* ends that made it: be it with its whole process, which is what is wanted, or
//! alone. So whoever starts a component and ends its own thread must not be that thread. And what the caller's thread may not do, the
//! thread that it starts may not do either: filters and rules of Landlock are inherited.

use super::birth::Birth;
use super::error::Error;
use super::sys::clone::{self, Born};
use std::convert::Infallible;
use std::sync::mpsc::{self, Sender};
use std::thread::Builder;

/// Enough for what a child does before it is a program, in bytes; it is a copy of this thread.
const STACK: usize = 256 << 10;

/// Holds the thread: dropped, that one ends.
#[derive(Debug)]
pub(crate) struct Nurse {
    _held: Sender<Infallible>,
}

/// Makes a child, on a thread of its own.
pub(crate) fn deliver(namespaces: libc::c_int, mut birth: Birth) -> Result<(Born, Nurse), Error> {
    let (held, until_dropped) = mpsc::channel();
    let (to_us, born) = mpsc::channel();
    let nurse = move || {
        let made = clone::clone(namespaces, &mut birth);
        // Our copies of what is the child's; above all of its end of the line.
        drop(birth);
        // Whoever waits for it holds the other end.
        let _ = to_us.send(made);
        let _ = until_dropped.recv();
    };
    let thread = Builder::new().name("nurse".into()).stack_size(STACK).spawn(nurse);
    thread.map_err(Error::io("clone"))?;
    let made = born.recv().map_err(|_| Error::System { call: "clone", reason: rustix::io::Errno::CHILD })?;
    Ok((made.map_err(Error::system("clone"))?, Nurse { _held: held }))
}
