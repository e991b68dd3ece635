//! From the composition that runs to another one: the steps of a [`Plan`], carried out.

use super::clock::Clock;
use super::event::Event;
use super::init::Init;
use super::launch;
use super::member::{Life, Member, Then};
use super::services;
use crate::config::{Component, Composition};
use crate::name::Name;
use crate::plan::{Plan, Server, Session, Step};
use crate::route::{Router, Target};
use portcullis_component::Quota;
use portcullis_component::host::{OpenSession, ServedBy, SessionNumber};
use std::time::Instant;

/// Why a session was ended, for who waits for it.
const REROUTED: &str = "its route leads elsewhere now: ask again";

impl Init {
    /// Changes what runs to what another composition says: only what differs is touched. Waits for nobody: who is stopped has
    /// ended a while later, and whoever comes in its place begins then.
    pub fn change(&self, new: &Composition) {
        let inner = self.inner();
        let old = inner.composition.replace(new.clone());
        let router = Router::new(new);
        let plan = Plan::between(&old, new, &self.decided(&router));
        self.offer(&router);
        self.note_readers(&router, new);
        *inner.notes.router.borrow_mut() = router;
        let closed = plan.steps().iter().filter(|step| matches!(step, Step::Close(_))).count();
        plan.steps().iter().for_each(|step| self.carry_out(step, new));
        if closed > 0 {
            self.tell(Event::Closed { sessions: closed });
        }
        for name in plan.steps().iter().filter_map(has_other_budget) {
            self.rebudget(name);
        }
        self.turn();
    }

    /// Offers its parent, if it has one, what routes lead from there, once and for ever: whether it gets that, the routes say each
    /// time that it asks.
    fn offer(&self, router: &Router) {
        let Clock::Alarms(env, _) = &self.inner().clock else { return };
        for service in router.offered() {
            let is_new = self.inner().offered.borrow_mut().insert(service.clone());
            if is_new && let Err(error) = self.inner().host.announce_above(env, service.as_str()) {
                self.tell(Event::NotOffered { service, reason: error.to_string() });
            }
        }
    }

    /// What the plan is to know of the sessions: all that a route has decided on. Who still waits for a session that would lead to
    /// the same component waits on, whatever becomes of that.
    fn decided(&self, new: &Router) -> Vec<Session<SessionNumber>> {
        let open = self.inner().host.open_sessions().into_iter();
        let decided = open.filter(|session| !services::is_config(&session.service, &session.label));
        let known = decided.filter_map(|session| {
            let is_open = session.is_open;
            let session = known(session)?;
            let to = new.decide(&session.client, &session.service, &session.label).to;
            let leads_there =
                matches!((to, &session.server), (Target::Child(to), Server::Child(is)) if to == is);
            (is_open || !leads_there).then_some(session)
        });
        known.collect()
    }

    fn carry_out(&self, step: &Step<SessionNumber>, new: &Composition) {
        let inner = self.inner();
        let component = || step.component().and_then(|name| new.component(name.as_str()));
        match step {
            Step::Close(session) => inner.host.end_session(*session, REROUTED),
            Step::Stop(name) => self.stop(name),
            Step::Start(_) => component().into_iter().for_each(|component| self.add(component)),
            Step::Configure(name) => {
                let Some(component) = component() else { return };
                inner.services.configure(name.as_str(), component.config.as_str());
                self.update(component);
                self.tell(Event::Configured { name: name.clone() });
            }
            Step::Supervise(_) => {
                let Some(component) = component() else { return };
                self.update(component);
                if let Some(member) = inner.members.borrow_mut().get_mut(&component.name) {
                    member.restarts.set(component.restart);
                    member.watch(Instant::now());
                }
            }
            // Of all others the new composition, and so the router, is what counts.
            _ => component().into_iter().for_each(|component| self.update(component)),
        }
    }

    /// A component is as the new composition says from now on.
    fn update(&self, component: &Component) {
        self.inner().services.allow(component);
        if let Some(member) = self.inner().members.borrow_mut().get_mut(&component.name) {
            member.component = component.clone();
        }
    }

    /// Ends a component for good, unless it comes again as another one.
    fn stop(&self, name: &Name) {
        let inner = self.inner();
        let mut members = inner.members.borrow_mut();
        let Some(member) = members.get_mut(name) else { return };
        match member.life {
            Life::Runs => {
                member.life = Life::Stopping(Then::Gone);
                inner.host.kill(name.as_str());
            }
            Life::Stopping(_) => member.life = Life::Stopping(Then::Gone),
            Life::Waits | Life::Ended | Life::GivenUp => {
                members.remove(name);
                inner.services.forget(name.as_str());
            }
        }
    }

    /// A component is to be started: at once, or when what had its name has ended.
    fn add(&self, component: &Component) {
        let inner = self.inner();
        inner.services.configure(component.name.as_str(), component.config.as_str());
        inner.services.allow(component);
        let mut members = inner.members.borrow_mut();
        let before = members.remove(&component.name);
        let mut member = Member::new(component.clone());
        if let Some(before) = before.filter(Member::is_stopping) {
            member.life = Life::Stopping(Then::Start);
            inner.host.await_next(component.name.as_str());
            member.granted = before.granted;
        }
        members.insert(component.name.clone(), member);
    }

    /// A component's budget is another one: what it has too much is taken back now, and what it lacks is given when it is there.
    fn rebudget(&self, name: &Name) {
        let inner = self.inner();
        let event = {
            let mut members = inner.members.borrow_mut();
            let Some(member) = members.get_mut(name).filter(|member| member.life == Life::Runs) else {
                return;
            };
            let wanted = launch::quota(&member.component);
            let surplus = wanted.missing_for(member.granted);
            inner.host.take(name.as_str(), surplus);
            inner.host.limit_memory(name.as_str(), launch::memory(&member.component));
            member.granted = member.granted.checked_sub(surplus).unwrap_or(Quota::NONE);
            Event::Budget { name: name.clone(), quota: wanted }
        };
        self.tell(event);
    }
}

/// A session as a plan knows it.
fn known(session: OpenSession) -> Option<Session<SessionNumber>> {
    let of_parent = session.client.is_empty();
    Some(Session {
        id: session.number,
        client: if of_parent { Name::parent() } else { session.client.parse().ok()? },
        service: session.service.parse().ok()?,
        label: session.label,
        server: match session.server {
            ServedBy::Child(child) if !services::is_parent(&child) => Server::Child(child.parse().ok()?),
            ServedBy::Child(_) | ServedBy::Parent => Server::Parent,
        },
    })
}

/// Whose budget a step is about; of two such steps for one, the last.
fn has_other_budget(step: &Step<SessionNumber>) -> Option<&Name> {
    match step {
        Step::Ram(name, _) | Step::Caps(name, _) => Some(name),
        _ => None,
    }
}
