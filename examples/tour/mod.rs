//! A composition of components, each confined to its sandbox, that `portcullis demo` shows: see the README here.

pub mod counter;
mod interface;
pub mod intruder;
pub mod log;
pub mod reader;
pub mod scribe;
pub mod watcher;

pub use interface::{Attempt, Count, Event, Feed, PACKET, Scribe, Stage, State, Targets, geometry};

use portcullis_component::Env;

/// The composition. Its binaries are the program `portcullis`, wherever that is.
pub const COMPOSITION: &str = include_str!("tour.toml");

/// Why a component of the tour has failed.
pub type Failed = Box<dyn std::error::Error>;

/// What a component of the tour does with its environment.
pub type Construct = fn(&Env) -> Result<(), Failed>;

/// The component of that name; `None` if there is none.
///
/// ```
/// assert!(portcullis_examples::tour::component("tour/counter").is_some());
/// assert!(portcullis_examples::tour::component("tour/no-such").is_none());
/// ```
#[must_use]
pub fn component(name: &str) -> Option<Construct> {
    match name.strip_prefix("tour/")? {
        "counter" => Some(counter::construct),
        "intruder" => Some(intruder::construct),
        "log" => Some(log::construct),
        "reader" => Some(reader::construct),
        "scribe" => Some(scribe::construct),
        "watcher" => Some(watcher::construct),
        _ => None,
    }
}
