//! Where a session leads: the first route decides that is for its client, service and label.

use crate::config::{Component, Composition};
use crate::label::LabelPattern;
use crate::name::{Name, Service};
use portcullis_component::Label;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// Which services a route is for.
///
/// ```
/// use portcullis_init::ServicePattern;
///
/// assert_eq!(ServicePattern::Any.to_string(), "*");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServicePattern {
    /// All that the target can be asked for: of a component those that it provides, else every one.
    Any,
    /// This one.
    Named(Service),
}

impl fmt::Display for ServicePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServicePattern::Any => f.pad("*"),
            ServicePattern::Named(service) => service.fmt(f),
        }
    }
}

/// Where a route leads.
///
/// ```
/// use portcullis_init::Target;
///
/// assert_eq!(Target::Denied.to_string(), "denied");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// To another component of the same composition.
    Child(Name),
    /// To the parent, who decides further.
    Parent,
    /// Nowhere: the client gets `ServiceDenied`.
    Denied,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Child(name) => name.fmt(f),
            Target::Parent => f.pad("parent"),
            Target::Denied => f.pad("denied"),
        }
    }
}

/// One rule.
///
/// ```
/// use portcullis_init::{LabelPattern, Route, ServicePattern, Target};
///
/// let route = Route { from: None, service: ServicePattern::Any, label: LabelPattern::Any, to: Target::Parent };
/// assert!(route.is_for(&"shell".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The client. This alone identifies a requester; without it the route is for every component but its own target. Sessions
    /// that the parent asks for, for whoever asked it, are those of [`Name::parent`].
    pub from: Option<Name>,
    /// The services.
    pub service: ServicePattern,
    /// The labels, as the client says them.
    pub label: LabelPattern,
    /// Where it leads.
    pub to: Target,
}

impl Route {
    /// Whether it is for a client. None is its own server.
    #[must_use]
    pub fn is_for(&self, client: &Name) -> bool {
        match (&self.from, &self.to) {
            (Some(from), _) => from == client,
            (None, _) if client.is_parent() => false,
            (None, Target::Child(target)) => target != client,
            (None, Target::Parent | Target::Denied) => true,
        }
    }
}

/// Where a session leads, and which route says so.
///
/// ```
/// use portcullis_init::{Composition, Router, Target};
///
/// let router = Router::new(&Composition::parse("")?);
/// let decision = router.decide(&"a".parse().unwrap(), &"Log".parse().unwrap(), &Default::default());
/// assert_eq!((decision.to, decision.rule), (&Target::Denied, None), "what nobody allows is denied");
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Where it leads.
    pub to: &'a Target,
    /// The index of the route that decided. If there is none, no route was for this session, so it is denied.
    pub rule: Option<usize>,
}

/// The routes of a composition, ready to decide.
///
/// ```
/// use portcullis_init::{Composition, Label, Router};
///
/// let router = Router::new(&Composition::parse(r#"
///     [[component]]
///     name = "shell"
///     binary = "bin/shell"
///     ram = "4M"
///     caps = 100
///
///     [[route]]
///     service = "FileSystem"
///     label = { prefix = ["home"] }
///     to = "parent"
/// "#)?);
/// let to = |label: Label| {
///     router.decide(&"shell".parse().unwrap(), &"FileSystem".parse().unwrap(), &label).to.to_string()
/// };
/// assert_eq!(to(Label::new(["home", "me"]).unwrap()), "parent");
/// assert_eq!(to(Label::new(["me", "home"]).unwrap()), "denied");
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
    provides: HashMap<Name, BTreeSet<Service>>,
}

impl Router {
    /// The router of a composition.
    #[must_use]
    pub fn new(composition: &Composition) -> Router {
        Router::of(composition.components().iter(), composition.routes().iter())
    }

    /// The router of these components and routes.
    pub(crate) fn of<'a>(
        components: impl Iterator<Item = &'a Component>,
        routes: impl Iterator<Item = &'a Route>,
    ) -> Router {
        Router {
            routes: routes.cloned().collect(),
            provides: components
                .map(|component| (component.name.clone(), component.provides.clone()))
                .collect(),
        }
    }

    /// Decides on a session that `client` wants, with the label as the client said it. Takes time in proportion to
    /// the number of routes.
    #[must_use]
    pub fn decide(&self, client: &Name, service: &Service, said: &Label) -> Decision<'_> {
        let decides =
            |route: &&Route| route.is_for(client) && self.leads(route, service) && route.label.matches(said);
        let found = self.routes.iter().enumerate().find(|(_, route)| decides(route));
        found.map_or(Decision { to: &Target::Denied, rule: None }, |(rule, route)| Decision {
            to: &route.to,
            rule: Some(rule),
        })
    }

    /// The services that the parent may be offered: those that a route leads to a component when it asks for them.
    #[must_use]
    pub fn offered(&self) -> BTreeSet<Service> {
        let from_parent = |route: &&Route| route.from.as_ref().is_some_and(Name::is_parent);
        let services =
            self.routes.iter().filter(from_parent).flat_map(|route| match (&route.service, &route.to) {
                (ServicePattern::Named(service), Target::Child(_)) => BTreeSet::from([service.clone()]),
                (ServicePattern::Any, Target::Child(child)) => {
                    self.provides.get(child).cloned().unwrap_or_default()
                }
                (_, Target::Parent | Target::Denied) => BTreeSet::new(),
            });
        services.collect()
    }

    /// The services of which a client may get a session from its siblings or from the parent, which has these; none if that is not
    /// known of the parent and a route leads there for all. More than it gets where only labels tell.
    pub(crate) fn open_to(
        &self,
        client: &Name,
        of_parent: Option<&BTreeSet<Service>>,
    ) -> Option<BTreeSet<Service>> {
        let (mut open, mut denied) = (BTreeSet::new(), BTreeSet::new());
        for route in self.routes.iter().filter(|route| route.is_for(client)) {
            match (&route.service, &route.to) {
                (ServicePattern::Named(service), Target::Denied) if route.label == LabelPattern::Any => {
                    denied.insert(service);
                }
                (ServicePattern::Any, Target::Denied) if route.label == LabelPattern::Any => break,
                (_, Target::Denied) => {}
                (ServicePattern::Named(service), _) if denied.contains(service) => {}
                (ServicePattern::Named(service), _) => drop(open.insert(service.clone())),
                (ServicePattern::Any, to) => {
                    let services = match to {
                        Target::Child(child) => self.provides.get(child),
                        Target::Parent | Target::Denied => of_parent,
                    };
                    let services = services?.iter().filter(|service| !denied.contains(service));
                    open.extend(services.cloned());
                }
            }
        }
        Some(open)
    }

    /// Whether a route is for a service.
    fn leads(&self, route: &Route, service: &Service) -> bool {
        match (&route.service, &route.to) {
            (ServicePattern::Named(named), _) => named == service,
            (ServicePattern::Any, Target::Child(child)) => {
                self.provides.get(child).is_some_and(|provides| provides.contains(service))
            }
            (ServicePattern::Any, Target::Parent | Target::Denied) => true,
        }
    }
}
