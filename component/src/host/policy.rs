//! What a parent decides.

use crate::label::Label;
use crate::quota::Quota;
use serde::{Deserialize, Serialize};

/// A session that a child asks for.
///
/// ```
/// use portcullis_component::Label;
/// use portcullis_component::host::{Asked, Policy, Route};
///
/// let mut policy = |asked: Asked<'_>| match (asked.client, asked.service) {
///     ("shell", "log") => Route::to("logger"),
///     _ => Route::Denied("only the shell may log".into()),
/// };
/// let label = Label::of("anything")?;
/// let asked = Asked { client: "shell", service: "log", label: &label };
/// assert_eq!(policy.route(asked), Route::to("logger"));
/// assert!(matches!(policy.route(Asked { client: "guest", ..asked }), Route::Denied(_)));
/// # Ok::<_, portcullis_component::LabelError>(())
/// ```
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
    /// At the child of that name that is started next: who asks waits for it, until the parent
    /// [gives it up](crate::host::Host::give_up).
    Awaited(String),
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
///
/// ```
/// use portcullis_component::Quota;
/// use portcullis_component::host::{Asked, Policy, Route, Wish};
///
/// struct Thrifty;
/// impl Policy for Thrifty {
///     fn route(&mut self, _: Asked<'_>) -> Route {
///         Route::Parent
///     }
///     fn wish(&mut self, _: &str, quota: Quota) -> Wish {
///         if quota.ram.in_bytes() <= 4096 { Wish::Granted } else { Wish::Refused }
///     }
/// }
/// assert_eq!(Thrifty.wish("shell", Quota::new(1 << 20, 0)), Wish::Refused);
/// ```
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
///
/// ```
/// use portcullis_component::host::{Asked, Exit, Host, Policy, Route, Spec};
/// use portcullis_component::{Env, Quota};
/// # use portcullis_entrypoint::Entrypoint;
/// # use portcullis_ipc::Pd;
///
/// struct Noting(std::rc::Rc<std::cell::Cell<Option<Exit>>>);
/// impl Policy for Noting {
///     fn route(&mut self, _: Asked<'_>) -> Route {
///         Route::Parent
///     }
///     fn ended(&mut self, _: &str, exit: Exit) {
///         self.0.set(Some(exit));
///     }
/// }
/// # let pd = Pd::new()?;
/// # let entrypoint = Entrypoint::new(&pd)?;
/// let ended = std::rc::Rc::default();
/// let host = Host::new(&pd, &entrypoint, Quota::NONE, Noting(std::rc::Rc::clone(&ended)));
/// host.start(Spec::thread("seven", Quota::NONE, |env: Env| env.exit(7)))?;
/// host.run_until(|_| ended.get().is_some())?;
/// assert_eq!(ended.get(), Some(Exit::Code(7)));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Something is different that others may have waited for: a session was made, refused, upgraded or closed, or its server has
    /// ended, or quota has come back to the parent's own account.
    fn changed(&mut self) {}
}

/// A policy that only routes.
impl<F: FnMut(Asked<'_>) -> Route> Policy for F {
    fn route(&mut self, asked: Asked<'_>) -> Route {
        self(asked)
    }
}
