//! What a component is kept from, and what it is allowed.

use crate::quota::CapQuota;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a process takes of memory before it does anything of its own, in bytes: its program's pages, stacks, what the kernel keeps
/// for it. A memory group has this beside a component's budget.
pub const PROGRAM: u64 = 32 << 20;

/// How much of a sandbox there must be.
///
/// ```
/// use portcullis_component::sandbox::Mode;
///
/// assert_eq!(Mode::default(), Mode::Strict);
/// assert_eq!("available".parse(), Ok(Mode::Available));
/// assert!("lax".parse::<Mode>().unwrap_err().to_string().contains("strict, available or off"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// All layers that are [needed](super::Layer::needed), or the component does not run.
    #[default]
    Strict,
    /// What this kernel has; what it lacks is [left out, and said](super::Child::left_out).
    Available,
    /// None: a process like any other, with the environment and all that its parent lets its children inherit.
    Off,
}

/// There is no such mode.
///
/// ```
/// let error = "".parse::<portcullis_component::sandbox::Mode>().unwrap_err();
/// assert_eq!(error.to_string(), "there is no sandbox '': say strict, available or off");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no sandbox '{0}': say strict, available or off")]
pub struct UnknownMode(String);

impl std::str::FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Mode, UnknownMode> {
        match name {
            "strict" => Ok(Mode::Strict),
            "available" => Ok(Mode::Available),
            "off" => Ok(Mode::Off),
            other => Err(UnknownMode(other.into())),
        }
    }
}

/// The most descriptors that a component is given for its capabilities.
pub const MOST_DESCRIPTORS: u64 = 16_384;

/// How much a component can make the system hold. All of them are hard limits, or become the lower limit that the
/// parent has itself.
///
/// ```
/// use portcullis_component::sandbox::Bounds;
///
/// let small = Bounds { address_space: 256 << 20, descriptors: 32, ..Bounds::default() };
/// assert!(small.threads > 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Address space, in bytes (RLIMIT_AS): private memory and all that is mapped.
    pub address_space: u64,
    /// The size of each file in memory that it makes, in bytes (RLIMIT_FSIZE). Such files count as memory though nobody maps
    /// them: so what it holds is at most the address space and this for each descriptor.
    pub file: u64,
    /// Descriptors (RLIMIT_NOFILE), also those that are on their way to others.
    pub descriptors: u64,
    /// Threads (RLIMIT_NPROC). There are no further processes.
    pub threads: u64,
    /// All memory that it uses, in bytes, of any kind, where the system delegates a memory group; beyond that the kernel kills
    /// it. Where there is none, [it is said](super::Child::left_out) and the other bounds hold. None is asked for if it is `None`.
    pub memory: Option<u64>,
}

impl Bounds {
    /// The descriptors for so many capabilities: sessions of as many clients take some each. The default at least.
    #[must_use]
    pub fn descriptors_for(caps: CapQuota) -> u64 {
        caps.count().saturating_mul(4).clamp(Bounds::default().descriptors, MOST_DESCRIPTORS)
    }
}

impl Default for Bounds {
    /// 4 GiB of address space, files of 64 MiB, 256 descriptors, 64 threads, no memory group.
    fn default() -> Bounds {
        Bounds { address_space: 4 << 30, file: 64 << 20, descriptors: 256, threads: 64, memory: None }
    }
}

/// What is behind the descriptors 0, 1 and 2.
///
/// ```
/// use portcullis_component::sandbox::Streams;
///
/// assert_eq!(Streams::default(), Streams::Empty);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// An empty, sealed file: there is nothing to read, and what is written is lost.
    #[default]
    Empty,
    /// The parent's own, to find errors: whoever sits at their other end is in reach of the component.
    Inherited,
}

/// What a component is kept from, and what it is allowed.
///
/// This program starts itself a second time, confined:
///
/// ```standalone_crate
/// use portcullis_component::sandbox::{Mode, Program, Sandbox, harden};
/// use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Server};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let pd = Pd::new()?;
///     if std::env::args().any(|argument| argument == "component") {
///         return component(&pd);
///     }
///     // What this kernel has: a strict one, the default, would refuse to run without all of it.
///     let sandbox = Sandbox { mode: Mode::Available, ..Sandbox::default() };
///     let program = Program::new(std::env::current_exe()?).argument("component");
///     let (mut child, first_object) = sandbox.start(&pd, &program)?;
///     first_object.call(&MsgBuf::new(), &mut MsgBuf::new())?;
///     drop(first_object);
///     assert!(child.wait()?.success(), "it ends when nobody needs it any more");
///     Ok(())
/// }
///
/// fn component(pd: &Pd) -> Result<(), Box<dyn std::error::Error>> {
///     harden()?;
///     let mut server = Server::new(pd)?;
///     let (first, _) = server.mint()?;
///     server.serve_parent(first)?;
///     let (mut message, mut caller) = (MsgBuf::new(), None);
///     loop {
///         match server.reply_and_wait(caller.take(), &mut message, Deadline::Never) {
///             Err(Error::ParentGone) => return Ok(()),
///             request => caller = Some(request?.caller),
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// How much of it there must be.
    pub mode: Mode,
    /// How much the component can make the system hold.
    pub bounds: Bounds,
    /// What is behind its standard streams.
    pub streams: Streams,
    /// Files and directories, by absolute paths, that it may read beside its program and libraries, at the same paths. What
    /// else is mounted within a directory is not shown.
    pub readable: Vec<PathBuf>,
}
