//! A pipe that whoever closes waits for.

use super::socket;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::SpliceFlags;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// A pipe's read end that cannot be closed before the other thing is dropped: meanwhile a thread moves what is in the pipe
/// into a socket that nobody empties, and has the pipe's lock all the while (splice(2)). It needs a mounted `/proc`.
///
/// # Errors
/// What the system says.
pub fn locked() -> io::Result<(OwnedFd, UnixStream)> {
    let (reader, writer) = rustix::pipe::pipe()?;
    // A description of its own, or the end that is given away would not be closed for good.
    let other: OwnedFd = std::fs::File::open(format!("/proc/self/fd/{}", reader.as_raw_fd()))?.into();
    socket::make_blocking(&other)?;
    // More than a socket takes at once, however little room it has.
    let content = vec![1; 262_144];
    rustix::pipe::fcntl_setpipe_size(&writer, content.len())?;
    let all = rustix::io::write(&writer, &content)?;
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, 4_096)?;
    std::thread::spawn(move || {
        let _writer = writer;
        rustix::pipe::splice(&other, None, &ours, None, all, SpliceFlags::empty())
    });
    let mut taker = UnixStream::from(theirs);
    // Something has come, so it is at it.
    taker.read_exact(&mut [0])?;
    Ok((reader, taker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_locked_pipe_is_closed_when_it_is_let_go() {
        let (reader, taker) = locked().unwrap();
        let (closed, is_closed) = mpsc::channel();
        std::thread::spawn(move || {
            drop(reader);
            let _ = closed.send(());
        });
        assert!(is_closed.recv_timeout(Duration::from_millis(100)).is_err());
        drop(taker);
        assert!(is_closed.recv_timeout(Duration::from_secs(30)).is_ok());
    }
}
