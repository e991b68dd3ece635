//! What can go wrong with a sandbox, and what to do.

use super::layer::Layer;
use rustix::io::Errno;
use std::ffi::OsString;
use std::path::PathBuf;
use thiserror::Error;

/// Why a component was not started. Nothing of it is left.
///
/// ```
/// use portcullis_component::sandbox::{Error, Program, Sandbox};
///
/// let script = Program::new("/nonexistent");
/// let error = Sandbox::default().start(&portcullis_ipc::Pd::new()?, &script).unwrap_err();
/// assert!(matches!(error, Error::File { .. }), "{error}");
/// # Ok::<_, portcullis_ipc::Error>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The system's: a strict sandbox lacks a layer.
    #[error(
        "a strict sandbox needs the layer '{layer}', and the kernel refused {what}: {reason}; {}, or set sandbox = \"available\" to do without; `portcullis doctor` lists what there is",
        layer.remedy()
    )]
    Lacking {
        /// What is missing.
        layer: Layer,
        /// The step that failed.
        what: &'static str,
        /// The kernel's own reason.
        reason: Errno,
    },
    /// The system's: a strict sandbox would lack a layer. Nothing was tried.
    #[error(
        "a strict sandbox needs the layer '{layer}', which is missing ({reason}); {}, or set sandbox = \"available\" to do without; `portcullis doctor` lists what there is",
        layer.remedy()
    )]
    Missing {
        /// What is missing.
        layer: Layer,
        /// What the kernel says, or what is not there.
        reason: String,
    },
    /// The kernel refused a step that no layer stands for.
    #[error("the kernel refused the child {what}: {reason}; {advice}")]
    Step {
        /// The step that failed.
        what: &'static str,
        /// The kernel's own reason.
        reason: Errno,
        /// What to do.
        advice: &'static str,
    },
    /// The program's file, or a library's, cannot be read.
    #[error("cannot read '{}': {reason}; name a file that this process can read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// The program's: it is no executable of this machine's kind.
    #[error("'{}' is no 64-bit ELF executable for this machine; scripts need an interpreter, which a component has not", .0.display())]
    NotAProgram(PathBuf),
    /// The program's: it needs a library that is not in the system's directories for libraries.
    #[error(
        "'{}' needs '{}', which is no library in the system's own directories: install it there, or link the program statically",
        program.display(), name.display()
    )]
    NoLibrary {
        /// The library.
        name: OsString,
        /// Who needs it.
        program: PathBuf,
    },
    /// The caller's: a path that is not absolute or goes upwards, or text with a null in it.
    #[error("'{}' cannot be given to a component: paths must be absolute and without '..', and nothing may contain a null", .0.display())]
    Unusable(OsString),
    /// Ours: the filter for system calls cannot be made for this machine.
    #[error("there is no filter for system calls on this kind of machine: x86_64 and aarch64 have one")]
    NoFilter,
    /// Ours: Landlock's rules cannot be made.
    #[error("Landlock's rules cannot be made: {0}")]
    NoRules(String),
    /// The transport's.
    #[error(transparent)]
    Transport(#[from] portcullis_ipc::Error),
    /// The system refused something to the parent itself.
    #[error("the system refused `{call}`: {reason}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// The system's own reason.
        reason: Errno,
    },
}

impl Error {
    pub(crate) fn system(call: &'static str) -> impl FnOnce(Errno) -> Error {
        move |reason| Error::System { call, reason }
    }

    pub(crate) fn io(call: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |error| Error::System { call, reason: Errno::from_io_error(&error).unwrap_or(Errno::IO) }
    }
}
