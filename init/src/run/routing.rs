//! What the host is told of where sessions lead, and what it tells.

use super::services::{self, Offer};
use super::teller;
use crate::name::{Name, Service};
use crate::route::{Router, Target};
use portcullis_component::host::{Asked, Exit, Policy, Route, Wish};
use portcullis_component::{Label, Quota};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The most denials that are noted until they are told: a client can be denied as often as it likes.
const MOST_DENIALS: usize = 64;

/// A session that was denied.
pub(super) struct Denial {
    pub(super) client: String,
    pub(super) service: String,
    pub(super) label: Label,
    pub(super) reason: String,
}

/// What the host's handlers read and write: they may not use the host itself.
pub(super) struct Notes {
    pub(super) router: RefCell<Router>,
    /// Who does not run and is about to.
    pub(super) coming: RefCell<BTreeSet<Name>>,
    /// What the parent of the composition offers.
    offer: Offer,
    pub(super) ended: RefCell<Vec<(String, Exit)>>,
    pub(super) denied: RefCell<Vec<Denial>>,
    /// Whether somebody waits for what sessions have taken.
    pub(super) quota_is_wanted: Cell<bool>,
    /// Whether somebody wants to know how all is.
    pub(super) state_is_wanted: Cell<bool>,
    /// Whether there is something that was not reported yet.
    pub(super) is_changed: Cell<bool>,
    /// Whoever acts upon the notes is to have its turn.
    wake: RefCell<Box<dyn Fn()>>,
}

impl Notes {
    pub(super) fn new(router: Router, offer: Offer) -> Rc<Notes> {
        Rc::new(Notes {
            router: RefCell::new(router),
            coming: RefCell::default(),
            offer,
            ended: RefCell::default(),
            denied: RefCell::default(),
            quota_is_wanted: Cell::new(false),
            state_is_wanted: Cell::new(false),
            is_changed: Cell::new(false),
            wake: RefCell::new(Box::new(|| ())),
        })
    }

    pub(super) fn wakes(&self, wake: impl Fn() + 'static) {
        *self.wake.borrow_mut() = Box::new(wake);
    }

    fn wake(&self) {
        (self.wake.borrow())();
    }

    fn decide(&self, asked: Asked<'_>) -> Route {
        let denied = |reason: &str| Route::Denied(reason.into());
        if services::is_config(asked.service, asked.label) {
            return Route::to(services::NAME);
        }
        if asked.client == teller::NAME {
            return self.offer.route(asked.service);
        }
        let client = if asked.client.is_empty() { Ok(Name::parent()) } else { asked.client.parse() };
        let (Ok(client), Ok(service)) = (client, asked.service.parse::<Service>()) else {
            return denied("no service has such a name");
        };
        match self.router.borrow().decide(&client, &service, asked.label).to {
            Target::Child(child) if self.coming.borrow().contains(child) => Route::Awaited(child.to_string()),
            Target::Child(child) => Route::to(child.as_str()),
            Target::Parent => self.offer.route(service.as_str()),
            Target::Denied => denied("no route of the composition allows it"),
        }
    }
}

/// The policy of a host that runs a composition.
pub(super) struct Routing(pub(super) Rc<Notes>);

impl Policy for Routing {
    fn route(&mut self, asked: Asked<'_>) -> Route {
        let route = self.0.decide(asked);
        if let Route::Denied(reason) = &route {
            let mut denied = self.0.denied.borrow_mut();
            if denied.len() < MOST_DENIALS {
                denied.push(Denial {
                    client: asked.client.into(),
                    service: asked.service.into(),
                    label: asked.label.clone(),
                    reason: reason.clone(),
                });
            }
            drop(denied);
            self.0.wake();
        }
        route
    }

    /// A component's budget is what the file says.
    fn wish(&mut self, _: &str, _: Quota) -> Wish {
        Wish::Refused
    }

    fn ended(&mut self, child: &str, exit: Exit) {
        self.0.ended.borrow_mut().push((child.into(), exit));
        self.0.is_changed.set(true);
        self.0.wake();
    }

    fn changed(&mut self) {
        let is_first = !self.0.is_changed.replace(true);
        if self.0.quota_is_wanted.get() || (is_first && self.0.state_is_wanted.get()) {
            self.0.wake();
        }
    }
}
