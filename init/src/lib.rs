//! Compositions of components: what a file says of them, where their sessions lead, who is started anew, what a
//! change of the file changes, and whoever does all that.
//!
//! What is decided are plain values and functions, so that all of it is tested without processes:
//!
//! - [`Composition`]: a TOML file, read and checked as a whole (`config`). Whatever is wrong is said at once, with line,
//!   key, and what was expected ([`Problem`]). A composition that has a problem does not exist, so nobody starts half of one.
//! - [`Router`]: where a session leads, by client, service and [`Label`] (`route`, `label`).
//! - [`Restarts`]: whether a component that crashed is started anew (`restart`).
//! - [`Plan`]: the steps from one composition to another, which touch only what differs (`plan`).
//! - [`Graph`]: components and sessions as a picture or as DOT (`graph`).
//!
//! What is done with processes is [`Init`]'s (`run`): at the root of a program, and as a component ([`component`]).
//!
//! `docs/composition.md` is the reference of the file.
#![forbid(unsafe_code)]

mod config;
mod graph;
mod label;
mod name;
mod plan;
mod restart;
mod route;
mod run;

pub use config::{
    Component, Composition, Config, Given, NoSize, Place, Problem, Problems, ProblemsInFile, Sandbox,
    Severity, limits, ram, written,
};
pub use graph::Graph;
pub use label::LabelPattern;
pub use name::{LONGEST_NAME, Name, NameError, Service};
pub use plan::{Plan, Server, Session, Step};
pub use portcullis_component::{CapQuota, Label, LabelError};
pub use portcullis_shm::RamQuota;
pub use restart::{Intensity, Restarts, Verdict};
pub use route::{Decision, Route, Router, ServicePattern, Target};
pub use run::{
    Announce, Cause, ComponentState, Event, Init, NotStarted, Root, SessionState, State, component,
};
