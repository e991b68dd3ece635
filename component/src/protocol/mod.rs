//! What components and their parents say to each other: three interfaces, and what every session is.
//!
//! | who calls | whom | for |
//! |---|---|---|
//! | a component | its parent, [`Parent`] | sessions, quota, to announce services, its end |
//! | a parent | a service of its child, [`Root`] | to make, upgrade and close sessions |
//! | a parent | its child, [`Component`] | its start, heartbeats, quota that it wants back |
//!
//! A component waits for its parent; a parent never waits for a component: it calls by the asynchronous twins, and goes on when
//! the answer is there.

mod child;
mod errand;
mod parent;
mod request;
mod root;

pub use child::{Component, ComponentAsync};
pub use errand::{Errand, Outcome};
pub use parent::{Parent, ParentAsync};
pub use request::{MAX_ARGUMENTS, MAX_SERVICE, Request};
pub use root::{Root, RootAsync, Session};
