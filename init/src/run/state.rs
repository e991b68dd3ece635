//! How a composition is: who runs, with what budget, and which sessions there are.

use super::init::Init;
use super::launch;
use super::member::{Life, Member};
use super::services;
use portcullis_component::Quota;
use portcullis_component::host::{Exit, OpenSession, ServedBy};
use serde::Serialize;

/// The most sessions that are listed. The others are counted.
const MOST_SESSIONS: usize = 1024;

/// How a composition is at some moment.
///
/// ```
/// use portcullis_init::{Composition, Init, Root};
/// # use portcullis_component::Quota;
/// # use portcullis_entrypoint::Entrypoint;
/// # use portcullis_ipc::Pd;
/// # let pd = Pd::new()?;
/// # let entrypoint = Entrypoint::new(&pd)?;
/// # let quota = Quota::new(1 << 30, 1_000);
/// # let root = Root { directory: "/".into(), quota, log: Box::new(|_| ()), also: Vec::new() };
/// let init = Init::root(&pd, &entrypoint, root, |_| ())?;
/// init.start(&Composition::parse("[[component]]\nname = 'a'\nbinary = '/bin/true'\nram = '1M'\ncaps = 9")?)?;
/// assert!(init.state().json().starts_with(r#"{"components":[{"name":"a","life":"runs","process":"#));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// Each component, in the order of the composition; behind them those that are not in it any more and have not ended yet.
    pub components: Vec<ComponentState>,
    /// The sessions that there are or that are waited for, up to 1,024.
    pub sessions: Vec<SessionState>,
    /// How many more there are.
    pub more_sessions: usize,
}

/// How one component is.
///
/// ```
/// use portcullis_init::ComponentState;
///
/// fn is_in_trouble(component: &ComponentState) -> bool {
///     component.life == "stays stopped" || component.debt_ram > 0
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentState {
    /// What it is called.
    pub name: String,
    /// `runs`, `waits` (for quota), `is stopped` (and has not ended yet), `has ended`, or `stays stopped`.
    pub life: &'static str,
    /// Its process, as the system calls it.
    pub process: Option<u32>,
    /// How often it was started.
    pub starts: u64,
    /// The code that it has ended with last, if it was not a signal.
    pub code: Option<i32>,
    /// The signal that has ended it last.
    pub signal: Option<i32>,
    /// Bytes that it was given.
    pub ram: u64,
    /// Of these, those that it has left to donate.
    pub ram_left: u64,
    /// Bytes that it owes, since it was given less meanwhile or spent otherwise what was donated to it.
    pub debt_ram: u64,
    /// Capabilities that it was given.
    pub caps: u64,
    /// Of these, those that it has left to donate.
    pub caps_left: u64,
}

/// How one session is.
///
/// ```
/// use portcullis_init::SessionState;
///
/// fn is_stalled(session: &SessionState) -> bool {
///     !session.open
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionState {
    /// Who asked for it; `parent` if that was not a component of the composition.
    pub client: String,
    /// Which service it is of.
    pub service: String,
    /// The label as the client said it, by hops.
    pub label: Vec<String>,
    /// Who serves it: a component, or `parent`.
    pub server: String,
    /// Whether it is there. If not, its server has not answered yet, or does not serve yet.
    pub open: bool,
}

impl State {
    /// As a line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Plain fields always have that form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Init {
    /// How all is now.
    #[must_use]
    pub fn state(&self) -> State {
        let inner = self.inner();
        let (composition, members) = (inner.composition.borrow(), inner.members.borrow());
        let listed = composition.components().iter().filter_map(|component| members.get(&component.name));
        let others =
            members.values().filter(|member| composition.component(member.component.name.as_str()).is_none());
        let components = listed.chain(others).map(|member| self.of_member(member)).collect();
        let mut sessions: Vec<SessionState> = self.sessions().into_iter().map(of_session).collect();
        let more_sessions = sessions.len().saturating_sub(MOST_SESSIONS);
        sessions.truncate(MOST_SESSIONS);
        State { components, sessions, more_sessions }
    }

    fn of_member(&self, member: &Member) -> ComponentState {
        let host = &self.inner().host;
        let name = member.component.name.as_str();
        let given = if member.life == Life::Runs { member.granted } else { launch::quota(&member.component) };
        let left = host.quota(name).unwrap_or(Quota::NONE);
        let exit = |of: fn(Exit) -> Option<i32>| member.exit.and_then(of);
        ComponentState {
            name: name.into(),
            life: match member.life {
                Life::Runs => "runs",
                Life::Stopping(_) => "is stopped",
                Life::Waits => "waits",
                Life::Ended => "has ended",
                Life::GivenUp => "stays stopped",
            },
            process: host.process(name),
            starts: member.starts,
            code: exit(|exit| if let Exit::Code(code) = exit { Some(code) } else { None }),
            signal: exit(|exit| if let Exit::Signal(signal) = exit { Some(signal) } else { None }),
            ram: given.ram.in_bytes(),
            ram_left: left.ram.in_bytes(),
            debt_ram: host.debt(name).unwrap_or(Quota::NONE).ram.in_bytes(),
            caps: given.caps.count(),
            caps_left: left.caps.count(),
        }
    }
}

fn of_session(session: OpenSession) -> SessionState {
    let parent = || services::NAME.to_owned();
    SessionState {
        client: if session.client.is_empty() { parent() } else { session.client },
        service: session.service,
        label: session.label.hops().to_vec(),
        server: match session.server {
            ServedBy::Child(child) if !services::is_parent(&child) => child,
            ServedBy::Child(_) | ServedBy::Parent => parent(),
        },
        open: session.is_open,
    }
}
