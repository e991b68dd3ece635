//! From one composition to another: what to stop, to start and to change, and nothing else.
//!
//! What a process is made of (binary, arguments, sandbox) can only change by another process. All else changes while it
//! runs: budgets, configuration, services, supervision. A session ends if one of its sides does, or if it would lead
//! elsewhere now; whether it is opened anew is up to its client.
//!
//! Steps come in an order in which nothing is ever given out twice: sessions close and components stop, budgets shrink,
//! and only then budgets grow and components start. They are carried out as a whole, before the next session is opened.

use crate::config::{Component, Composition};
use crate::name::{Name, Service};
use crate::route::{Router, Target};
use portcullis_component::CapQuota;
use portcullis_component::Label;
use portcullis_shm::RamQuota;
use std::collections::{BTreeSet, HashSet};

/// Who serves a session.
///
/// ```
/// # use portcullis_init::Server;
/// assert_ne!(Server::Parent, Server::Child("parent-of-all".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// A component of the composition.
    Child(Name),
    /// The parent, or whoever it has found.
    Parent,
}

/// A session that is open.
///
/// ```
/// # use portcullis_init::{Server, Session};
/// let session = Session {
///     id: 7,
///     client: "shell".parse()?,
///     service: "Log".parse()?,
///     label: Default::default(),
///     server: Server::Parent,
/// };
/// # Ok::<_, portcullis_init::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session<I> {
    /// What the caller knows it by.
    pub id: I,
    /// Who opened it; [`Name::parent`] if the parent did.
    pub client: Name,
    /// Which service it is of.
    pub service: Service,
    /// The label as the client said it.
    pub label: Label,
    /// Who serves it.
    pub server: Server,
}

/// One thing to do. What is to be so afterwards stands in the new composition.
///
/// ```
/// # use portcullis_init::Step;
/// let step: Step<u32> = Step::Close(7);
/// assert_eq!(step.component(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<I> {
    /// Closes a session.
    Close(I),
    /// Ends a component, whether it runs or was given up.
    Stop(Name),
    /// Gives a component this much RAM from now on.
    Ram(Name, RamQuota),
    /// Gives a component this many capabilities from now on.
    Caps(Name, CapQuota),
    /// Lets a component announce other services.
    Provides(Name),
    /// Watches a component in another way: restart intensity, heartbeat.
    Supervise(Name),
    /// Decides on sessions by the new routes.
    Routes,
    /// Hands a component its new configuration.
    Configure(Name),
    /// Starts a component.
    Start(Name),
}

impl<I> Step<I> {
    /// The component that it touches, if it touches one as a whole.
    pub fn component(&self) -> Option<&Name> {
        match self {
            Step::Close(_) | Step::Routes => None,
            Step::Stop(name)
            | Step::Ram(name, _)
            | Step::Caps(name, _)
            | Step::Provides(name)
            | Step::Supervise(name)
            | Step::Configure(name)
            | Step::Start(name) => Some(name),
        }
    }
}

/// The steps from one composition to another.
///
/// ```
/// use portcullis_init::{Composition, Plan, Session, Step};
///
/// let file = |ram: &str| format!("[[component]]\nname = 'a'\nbinary = 'a'\nram = '{ram}'\ncaps = 9");
/// let (old, new) = (Composition::parse(file("4M"))?, Composition::parse(file("8M"))?);
/// let plan = Plan::between(&old, &new, &[] as &[Session<u32>]);
/// assert_eq!(plan.steps(), [Step::Ram("a".parse().unwrap(), new.ram())]);
/// assert!(Plan::between(&new, &new, &[] as &[Session<u32>]).steps().is_empty());
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<I> {
    steps: Vec<Step<I>>,
}

impl<I: Clone> Plan<I> {
    /// What leads from `old`, with these sessions open, to `new`.
    #[must_use]
    pub fn between(old: &Composition, new: &Composition, sessions: &[Session<I>]) -> Plan<I> {
        let kept: Vec<(&Component, &Component)> = old
            .components()
            .iter()
            .filter_map(|before| Some((before, new.component(before.name.as_str())?)))
            .filter(|(before, after)| same_process(before, after))
            .collect();
        let keeps: HashSet<&Name> = kept.iter().map(|(before, _)| &before.name).collect();
        let each = |step: &dyn Fn(&Component, &Component) -> Option<Step<I>>| {
            kept.iter().filter_map(|(before, after)| step(before, after)).collect::<Vec<_>>()
        };
        let named = |step: fn(Name) -> Step<I>, differ: fn(&Component, &Component) -> bool| {
            each(&|before, after| differ(before, after).then(|| step(after.name.clone())))
        };
        let gone = old.components().iter().filter(|component| !keeps.contains(&component.name));
        let come = new.components().iter().filter(|component| !keeps.contains(&component.name));
        let ram = |differ: fn(&RamQuota, &RamQuota) -> bool| {
            each(&|before, after| {
                differ(&after.ram, &before.ram).then(|| Step::Ram(after.name.clone(), after.ram))
            })
        };
        let caps = |differ: fn(&CapQuota, &CapQuota) -> bool| {
            each(&|before, after| {
                differ(&after.caps, &before.caps).then(|| Step::Caps(after.name.clone(), after.caps))
            })
        };

        let mut steps = closed(new, &keeps, sessions);
        steps.extend(gone.map(|component| Step::Stop(component.name.clone())));
        steps.extend(ram(PartialOrd::lt).into_iter().chain(caps(PartialOrd::lt)));
        steps.extend(ram(PartialOrd::gt).into_iter().chain(caps(PartialOrd::gt)));
        steps.extend(named(Step::Provides, |before, after| before.provides != after.provides));
        steps.extend(named(Step::Supervise, |before, after| {
            (before.restart, before.heartbeat) != (after.restart, after.heartbeat)
        }));
        steps.extend((old.routes() != new.routes()).then_some(Step::Routes));
        steps.extend(named(Step::Configure, |before, after| before.config != after.config));
        steps.extend(come.map(|component| Step::Start(component.name.clone())));
        Plan { steps }
    }

    /// The steps, in their order.
    #[must_use]
    pub fn steps(&self) -> &[Step<I>] {
        &self.steps
    }

    /// The components that a step touches. All others go on as if nothing had happened, but for sessions of theirs that
    /// close.
    #[must_use]
    pub fn touched(&self) -> BTreeSet<&Name> {
        self.steps.iter().filter_map(Step::component).collect()
    }
}

/// Whether one process can be both.
fn same_process(before: &Component, after: &Component) -> bool {
    (&before.binary, &before.args, before.sandbox) == (&after.binary, &after.args, after.sandbox)
}

/// The sessions that lose a side, or would lead elsewhere.
fn closed<I: Clone>(new: &Composition, keeps: &HashSet<&Name>, sessions: &[Session<I>]) -> Vec<Step<I>> {
    let router = Router::new(new);
    let stays = |session: &&Session<I>| {
        let to = router.decide(&session.client, &session.service, &session.label).to;
        (session.client.is_parent() || keeps.contains(&session.client))
            && match (&session.server, to) {
                (Server::Child(server), Target::Child(child)) => server == child && keeps.contains(server),
                (Server::Parent, Target::Parent) => true,
                _ => false,
            }
    };
    sessions.iter().filter(|session| !stays(session)).map(|session| Step::Close(session.id.clone())).collect()
}
