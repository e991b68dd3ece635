//! All that a child needs between its making and its program, made ready beforehand: it cannot allocate.

use super::sys::exec::Strings;
use super::view::View;
use rustix::process::Resource;
use seccompiler::BpfProgram;
use std::os::fd::{OwnedFd, RawFd};

/// What becomes of a child, in the order of the steps.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) parent: Parent,
    /// What its user and group are called in its own user namespace, if it has one.
    pub(crate) identity: Option<Identity>,
    /// All the files that it sees, if it has mounts of its own.
    pub(crate) view: Option<View>,
    /// Hard and soft limits.
    pub(crate) limits: Vec<(Resource, u64)>,
    /// Descriptors 0 to 2; inherited ones otherwise.
    pub(crate) streams: Option<OwnedFd>,
    /// Descriptor 3.
    pub(crate) portal: Option<OwnedFd>,
    /// Whether all others are closed, whoever opened them.
    pub(crate) closes_others: bool,
    /// The filter that has the parent asked about programs. It comes before the others, which let no such filter be installed.
    pub(crate) one_program: Option<&'static BpfProgram>,
    /// Landlock's rules.
    pub(crate) rules: Option<OwnedFd>,
    /// Filters for system calls, one after the other.
    pub(crate) filters: &'static [BpfProgram],
    /// What it becomes; without a program it only says that it came so far.
    pub(crate) program: Option<Image>,
}

/// The parent, for as long as the child has no program.
#[derive(Debug)]
pub(crate) struct Parent {
    /// Over this socket the child is told to go on, asks whether its parent is still there, and says what failed. It closes when the
    /// program runs.
    pub(crate) line: OwnedFd,
    /// The parent's own end of it, by its number: the child has a copy of that, too, as of all that its parent has open.
    pub(crate) other_end: RawFd,
    /// The parent's process, which is seen to end whoever else has a copy of that end: another child that is made meanwhile, say.
    pub(crate) process: OwnedFd,
}

/// Who the child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Within its user namespace; the number of its group as well.
    pub(crate) id: u32,
    /// Whether it can leave the groups of its parent: an ordinary user may not.
    pub(crate) leaves_groups: bool,
}

/// A program, ready to run.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) file: OwnedFd,
    pub(crate) arguments: Strings,
    pub(crate) environment: Strings,
}
