//! A composition that runs: what is decided elsewhere in this crate is done here, by a parent of real components.
//!
//! [`Init`] has a [`Host`](portcullis_component::host::Host), and starts, stops and watches its children as a
//! [`Composition`](crate::Composition) says. The same runs at the root, on whatever entrypoint the program has, and as a component
//! within another composition ([`component`]).
//!
//! ```text
//!   children ask, end         policy: routes, and notes         turn: between handlers
//!   ────────────────────────> (`routing`)  ──────────────────> (`turn`) ──> starts, kills, says (`member`, `launch`, `event`)
//!   the file changes ───────────────────────────────────────────> plan ──> its steps (`change`)
//! ```
//! A handler of the host may not use the host. So it notes what has happened, and [`Init`] has its turn when the handler has
//! returned (`clock`). Nothing here waits for a child: children are asked by tasks, and killed where an answer is due. What the
//! parent of a composition offers by itself (its components' configuration, and at the root a log and a timer) a thread of its own serves
//! (`services`, and `teller` tells what happens), so that not even a reader who stops reading holds up the rest.

mod change;
mod clock;
mod component;
mod event;
mod init;
mod launch;
mod member;
mod reports;
mod routing;
mod services;
mod spawner;
mod state;
mod teller;
mod turn;

pub use component::component;
pub use event::{Cause, Event};
pub use init::{Init, NotStarted, Root};
pub use services::Announce;
pub use state::{ComponentState, SessionState, State};
