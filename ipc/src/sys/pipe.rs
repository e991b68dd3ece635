//! The doorbell as a pipe.

use super::known;
use crate::error::Error;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, StatxFlags};
use rustix::io::{Errno, ReadWriteFlags};
use rustix::pipe::PipeFlags;
use std::io::IoSliceMut;

/// A pipe whose read end a server has in its epoll set and never reads: a client could keep a copy of it, make it
/// block, and so hold up the server. The client reads it, when it is full.
///
/// Every write is an event for an edge-triggered reader, even while older bytes are unread (epoll(7); Linux 5.14
/// made it so again for good).
#[derive(Debug)]
pub(crate) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Pipe {
    pub(crate) fn new() -> Result<Pipe, Error> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
            .map_err(Error::system("pipe2"))?;
        Ok(Pipe { read, write })
    }

    /// The end for the server.
    pub(crate) fn read_end(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }

    /// Wakes the server. The write end is nobody else's, so that nobody can make it block.
    pub(crate) fn ring(&self) {
        if rustix::io::write(&self.write, &[0]) == Err(Errno::AGAIN) {
            // `NOWAIT`, since the server shares the read end and can make it block. The position of a pipe is -1.
            let mut old = [0; 4096];
            let _ = rustix::io::preadv2(
                &self.read,
                &mut [IoSliceMut::new(&mut old)],
                u64::MAX,
                ReadWriteFlags::NOWAIT,
            );
            let _ = rustix::io::write(&self.write, &[0]);
        }
    }
}

/// Whether a descriptor is a pipe.
pub(crate) fn is_pipe(file: BorrowedFd<'_>) -> bool {
    known::stat(file, StatxFlags::TYPE)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Fifo)
}
