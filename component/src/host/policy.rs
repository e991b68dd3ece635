//! What a parent decides.

use crate::label::Label;
use crate::quota::Quota;

/// A session that a child asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The child's name; empty if the parent's own parent asks.
    pub client: &'a str,
    /// The service that is asked for.
    pub service: &'a str,
    /// The label as the child gave it: it may say anything.
    pub label: &'a Label,
}

/// Where a session is asked for.
///
/// ```
/// use portcullis_component::host::Route;
///
/// assert_eq!(Route::to("logger"), Route::Child("logger".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// At a child, as soon as it has announced the service.
    Child(String),
    /// At the parent's own parent.
    Parent,
    /// Nowhere, and why.
    Denied(String),
}

impl Route {
    /// To the child of that name.
    #[must_use]
    pub fn to(child: &str) -> Route {
        Route::Child(child.into())
    }
}

/// What becomes of a child's wish for more quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The child gets it, if the parent's own account has as much.
    Granted,
    /// It waits until the parent [gives](crate::host::Host::give) it something.
    Waits,
    /// It does not get it.
    Refused,
}

/// How a component ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with that code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody knows: the system did not say.
    Unknown,
}

/// What a parent decides: where sessions go, who gets more quota, what is done when a child ends.
///
/// Its methods run within the parent's handlers and must not block. They may not use the [`Host`](crate::host::Host) itself: note
/// what is to be done, and do it between handlers.
pub trait Policy {
    /// Where a session is asked for.
    fn route(&mut self, asked: Asked<'_>) -> Route;

    /// A child wants more quota.
    fn wish(&mut self, _child: &str, _quota: Quota) -> Wish {
        Wish::Granted
    }

    /// A child has ended.
    fn ended(&mut self, _child: &str, _exit: Exit) {}
}

/// A policy that only routes.
impl<F: FnMut(Asked<'_>) -> Route> Policy for F {
    fn route(&mut self, asked: Asked<'_>) -> Route {
        self(asked)
    }
}
