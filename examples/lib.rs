//! The components of the demos: a folder each, with a README that says what to see.
//!
//! The command `portcullis` links them in and starts each as a process of its own, by running itself with the
//! component's name. A component is given one thing: the portal to its parent.
#![forbid(unsafe_code)]

pub mod bulk;
pub mod chain;
mod failure;
mod task;
pub mod ticker;
pub mod tour;
pub mod wordcount;

pub use failure::Failure;
pub use task::{Progress, TaskFailure};

use portcullis_entrypoint::{Entrypoint, Error};
use portcullis_ipc::{Limits, Pd};
use portcullis_rpc::Capability;

/// A component's program: runs until its parent ends.
pub type Program = fn() -> Result<(), Error>;

/// The component of that name; `None` if there is none.
///
/// ```
/// assert!(portcullis_examples::component("wordcount/counter").is_some());
/// assert!(portcullis_examples::component("wordcount/no-such").is_none());
/// ```
#[must_use]
pub fn component(name: &str) -> Option<Program> {
    match name {
        bulk::SINK => Some(bulk::sink::run),
        bulk::SOURCE => Some(bulk::source::run),
        chain::ORIGIN => Some(chain::origin::run),
        chain::HOP => Some(chain::hop::run),
        ticker::CLOCK => Some(ticker::clock::run),
        ticker::WATCHER => Some(ticker::watcher::run),
        wordcount::COUNTER => Some(wordcount::counter::run),
        wordcount::LOG => Some(wordcount::log::run),
        wordcount::CLIENT => Some(wordcount::client::run),
        _ => None,
    }
}

/// Serves the parent, who gets what `manage` makes, until it ends.
fn serve_parent<I: ?Sized>(
    limits: Limits,
    manage: impl FnOnce(&Entrypoint) -> Capability<I>,
) -> Result<(), Error> {
    let entrypoint = Entrypoint::with(&Pd::new()?, limits)?;
    entrypoint.serve_parent(&manage(&entrypoint))?;
    until_parent_ends(entrypoint.run())
}

/// A component whose parent has ended has done its work.
fn until_parent_ends(ended: Result<(), Error>) -> Result<(), Error> {
    match ended {
        Err(Error::Transport(portcullis_ipc::Error::ParentGone)) => Ok(()),
        other => other,
    }
}
