//! What a child does between its making and its program.
//!
//! It is a copy of one thread of a process that may have had others, which may have held any lock: so there are only system calls
//! here, on what [`Birth`] holds ready. No allocation, no lock, no panic.

use super::birth::{Birth, Identity, Parent};
use super::one_program;
use super::step::{QUESTION, Report, Step};
use super::sys::{exec, kernel, signals};
use portcullis_ipc::Pd;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::io::{self, Errno};
use rustix::net::{RecvFlags, SendFlags};
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// More than any kernel has capabilities.
const CAPABILITIES: u32 = 64;

/// Goes through the birth. Comes back only if there was no program to become, with the status to end with.
pub(crate) fn run(birth: &mut Birth) -> i32 {
    signals::reset_handlers();
    let report = match confine(birth) {
        Ok(()) => become_program(birth),
        Err(report) => report,
    };
    // If the parent is not there any more, nobody wants to know.
    let _ = rustix::net::send(&birth.parent.line, &report.encode(), SendFlags::NOSIGNAL);
    i32::from(report.step != Step::Done)
}

fn confine(birth: &mut Birth) -> Result<(), Report> {
    step(Step::Wait, wait(&birth.parent))?;
    // A signal to one's own group reaches all who are in it, be they outside of one's pid namespace.
    step(Step::Session, rustix::process::setsid().map(drop))?;
    if let Some(view) = &mut birth.view {
        // As whom the parent was: the child's own id may have no right to walk there.
        step(Step::Sources, view.take_sources())?;
    }
    if let Some(identity) = birth.identity {
        step(Step::Identity, take_on(identity))?;
    }
    if let Some(view) = &mut birth.view {
        step(Step::Mounts, view.mount())?;
        step(Step::Root, view.enter())?;
    }
    step(Step::Limits, limit(&birth.limits))?;
    step(Step::Descriptors, keep(birth.streams.as_ref(), birth.portal.as_ref()))?;
    if birth.closes_others {
        step(Step::Descriptors, kernel::close_at_exec_from(Pd::PORTAL.cast_unsigned() + 1))?;
    }
    step(Step::Capabilities, give_up_privileges())?;
    step(Step::Bond, end_with(&birth.parent))?;
    step(Step::NoNewPrivileges, rustix::thread::set_no_new_privs(true))?;
    if let Some(filter) = birth.one_program {
        let listener = kernel::seccomp_that_asks(filter);
        step(
            Step::OneProgram,
            listener.and_then(|listener| one_program::hand_over(&birth.parent.line, &listener)),
        )?;
    }
    if let Some(rules) = &birth.rules {
        step(Step::Landlock, kernel::landlock(rules))?;
    }
    birth.filters.iter().try_for_each(|filter| step(Step::Seccomp, kernel::seccomp(filter)))
}

fn become_program(birth: &Birth) -> Report {
    let Some(image) = &birth.program else {
        return Report { step: Step::Done, reason: Errno::CANCELED };
    };
    signals::unblock();
    Report { step: Step::Execute, reason: exec::exec(&image.file, &image.arguments, &image.environment) }
}

fn step(step: Step, result: io::Result<()>) -> Result<(), Report> {
    result.map_err(|reason| Report { step, reason })
}

/// Until the parent has said who we are.
fn wait(parent: &Parent) -> io::Result<()> {
    // What this process holds itself nobody would see closed.
    kernel::close(parent.other_end)?;
    // For as long as it stays who it is. The parent may have ended already, of which this tells nothing any more, and what follows does.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    hear(parent)
}

/// From now on the kernel kills this process when the parent ends, however that comes. Every change of who this process is would undo that,
/// so it comes behind all of them; that the program cannot, its filter sees to.
fn end_with(parent: &Parent) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // Or it has ended already, or begun to: the kernel ends its threads one after the other, and what is asked for here is done at the end
    // of the one that made this process. Who answers has a thread that has not begun to end, and that inherits the child.
    rustix::net::send(&parent.line, &[0; QUESTION], SendFlags::NOSIGNAL)?;
    hear(parent)
}

/// A word of the parent, whichever, or that it has ended.
fn hear(parent: &Parent) -> io::Result<()> {
    let mut ready = [PollFd::new(&parent.line, PollFlags::IN), PollFd::new(&parent.process, PollFlags::IN)];
    io::retry_on_intr(|| rustix::event::poll(&mut ready, None))?;
    if !ready[1].revents().is_empty() {
        return Err(Errno::PIPE);
    }
    match rustix::net::recv(&parent.line, &mut [0][..], RecvFlags::DONTWAIT)? {
        (0, _) => Err(Errno::PIPE),
        _ => Ok(()),
    }
}

fn take_on(Identity { id, leaves_groups }: Identity) -> io::Result<()> {
    if leaves_groups {
        rustix::thread::set_thread_groups(&[])?;
    }
    let group = Gid::from_raw(id);
    rustix::thread::set_thread_res_gid(group, group, group)?;
    let user = Uid::from_raw(id);
    rustix::thread::set_thread_res_uid(user, user, user)
}

fn limit(limits: &[(Resource, u64)]) -> io::Result<()> {
    limits.iter().try_for_each(|(resource, limit)| {
        // Never more than there was.
        let most = rustix::process::getrlimit(*resource).maximum.unwrap_or(u64::MAX).min(*limit);
        rustix::process::setrlimit(*resource, Rlimit { current: Some(most), maximum: Some(most) })
    })
}

/// Puts what the program is to have in its place.
///
/// What is put in place has higher numbers than all of the places.
fn keep(streams: Option<&OwnedFd>, portal: Option<&OwnedFd>) -> io::Result<()> {
    if let Some(streams) = streams {
        for place in 0..Pd::PORTAL {
            kernel::duplicate_to(streams, place)?;
        }
    }
    if let Some(portal) = portal {
        kernel::duplicate_to(portal, Pd::PORTAL)?;
    }
    Ok(())
}

/// No privilege is left, nor can one come back. In a user namespace of its own a child begins with all of them there.
fn give_up_privileges() -> io::Result<()> {
    let held = rustix::thread::capabilities(None)?;
    if held.effective.contains(CapabilitySet::SETPCAP) {
        for capability in 0..CAPABILITIES {
            match rustix::thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(
                1 << capability,
            )) {
                // There are no more.
                Err(Errno::INVAL) => break,
                other => other?,
            }
        }
    }
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )
}
