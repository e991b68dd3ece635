//! Components: programs that start with nothing but a parent, ask it for sessions, and pay for them out of a budget.
//!
//! A component is a process, or a thread for tests and embedding; the same `construct` runs as either. Its [`Env`] is all that it
//! has. It [connects](Env::connect) to services by way of its parent, and [announces](Env::announce) services of its own. A
//! [`Host`](host::Host) is such a parent, to be embedded in a program, or in a component that has children.
//!
//! Principles:
//! - A component waits for its parent, a client for its server, and nobody for those below: a parent asks its children by tasks.
//! - The client pays. What a session costs at its server and at each parent on the way is donated when it is opened, moved all
//!   or nothing, and comes back when it is closed, whoever dies meanwhile.
//! - What somebody has to give back and has not, he owes. Quota is never in two places.
//! - What is decided is separate from what is done: accounts (`bank`) and the states of a session (`hop`) are pure, and tested
//!   in every order.
//!
//! The modules: amounts (`quota`), accounts (`bank`, `budget`), names (`label`), what is said ([`protocol`]), a component's side (`env`, `alarms`, `ram`,
//! `uplink`, `connection`, `run`), a server's side (`service`, `root`), a parent's side ([`host`], with `hop`), and what a component is
//! kept from, and how it is started so ([`sandbox`], whose `sys` alone may be unsafe), by others for a parent that is confined itself ([`spawn`]). [`test`](mod@test) is for tests of
//! your own.

mod alarms;
mod bank;
mod budget;
mod connection;
mod env;
mod error;
mod hop;
pub mod host;
mod label;
pub mod protocol;
mod quota;
mod ram;
mod root;
mod run;
pub mod sandbox;
mod service;
pub mod spawn;
pub mod test;
mod uplink;

pub use alarms::Alarm;
pub use budget::Budget;
pub use connection::{Connecting, Connection};
pub use env::Env;
pub use error::Error;
pub use label::{Label, LabelError};
pub use portcullis_rpc_macros::component;
pub use quota::{CapQuota, Quota};
pub use ram::Ram;
pub use run::{Constructed, run};
pub use service::{HOP_COST, Opening, Service, Sessions};
