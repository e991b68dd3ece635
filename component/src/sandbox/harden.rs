//! What a component does to itself when it has begun.

use super::error::Error;
use super::filter;
use rustix::process::DumpableBehavior;

/// Gives up what a program needs only to begin: from now on no thread of this process opens a file or runs another program,
/// and no process of the same user may trace it or look into its memory (before that a program is always traceable: that it
/// should not be does not survive its start).
///
/// Call it before anything that comes from outside is looked at, and before there are threads that open files. It cannot
/// be undone.
///
/// ```standalone_crate
/// fn main() -> Result<(), portcullis_component::sandbox::Error> {
///     portcullis_component::sandbox::harden()?;
///     assert!(std::fs::File::open("/dev/null").is_err());
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`Error::System`] if the kernel has no filters for system calls, or a thread runs under another one.
pub fn harden() -> Result<(), Error> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::system("prctl"))?;
    rustix::thread::set_no_new_privs(true).map_err(Error::system("prctl"))?;
    let filter = filter::hardened().map_err(|_| Error::NoFilter)?;
    seccompiler::apply_filter_all_threads(&filter).map_err(|error| match error {
        seccompiler::Error::Seccomp(reason) | seccompiler::Error::Prctl(reason) => {
            Error::io("seccomp")(reason)
        }
        _ => Error::System { call: "seccomp", reason: rustix::io::Errno::BUSY },
    })
}
