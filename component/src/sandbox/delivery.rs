//! The parent's side of a birth.

use super::birth::{Birth, Parent};
use super::error::Error;
use super::nurse;
use super::one_program;
use super::owner::Owner;
use super::process::Process;
use super::step::{QUESTION, REPORT, Report, Step};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags};

/// Descriptors for the child have at least this number: below are the places where it has them in the end.
const PLACES: i32 = 10;

/// How a birth went.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The program runs.
    Runs(Process),
    /// It came no further than that, and has ended.
    Ended(Report),
}

/// Both ends of the socket between parent and child: ours, and the child's, with what else that has of its parent.
pub(crate) fn line() -> Result<(OwnedFd, Parent), Error> {
    let (ours, childs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .map_err(Error::system("socketpair"))?;
    let process = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .map_err(Error::system("pidfd_open"))?;
    let parent = Parent { line: place(childs)?, other_end: ours.as_raw_fd(), process: place(process)? };
    Ok((ours, parent))
}

/// The same file, with a number that is out of the way.
pub(crate) fn place(descriptor: impl AsFd) -> Result<OwnedFd, Error> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, PLACES).map_err(Error::system("fcntl"))
}

/// Makes the child, says who it is, and waits until its program runs, or it has said why not. Waits for nobody but the kernel.
pub(crate) fn deliver(
    namespaces: libc::c_int,
    owner: Option<Owner>,
    ours: &OwnedFd,
    birth: Birth,
    before: impl FnOnce(Pid) -> Result<(), Error>,
) -> Result<Delivery, Error> {
    let (born, nurse) = nurse::deliver(namespaces, birth)?;
    let mut child = Process::new(born, nurse);
    before(child.pid())?;
    if let Some(Err(error)) = owner.map(|owner| owner.name(child.pid())) {
        let reason = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
        return Ok(Delivery::Ended(Report { step: Step::Identity, reason }));
    }
    rustix::net::send(ours, &[1], SendFlags::NOSIGNAL).map_err(Error::system("send"))?;
    let mut report = [0; REPORT];
    loop {
        match one_program::receive(ours, &mut report).map_err(Error::system("recvmsg"))? {
            (_, Some(listener)) => one_program::let_through(&listener, ours)?,
            // The socket was closed: by the start of its program, or by its end, of which the capability tells.
            (0, None) => return Ok(Delivery::Runs(child)),
            // It asks whether we are still there. If it is not, that is seen next.
            (QUESTION, None) => {
                let _ = rustix::net::send(ours, &[1], SendFlags::NOSIGNAL);
            }
            _ => {
                child.wait()?;
                let unreadable = Error::System { call: "recvmsg", reason: rustix::io::Errno::BADMSG };
                return Report::decode(&report).map(Delivery::Ended).ok_or(unreadable);
            }
        }
    }
}
