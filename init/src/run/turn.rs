//! What is done between handlers: acting upon who has ended, who is to be started, and who gives no sign of life.

use super::event::Event;
use super::init::Init;
use super::launch;
use super::member::{Life, Member, Then};
use crate::name::Name;
use crate::restart::Verdict;
use portcullis_component::host::Exit;
use portcullis_component::{Error, Quota};
use std::collections::BTreeSet;
use std::time::Instant;

/// How many denials of one component are said each time that it is started.
const DENIALS: u32 = 16;

impl Init {
    /// Acts upon what has happened since, between handlers.
    pub(super) fn turn(&self) {
        let ended = self.inner().notes.ended.take();
        ended.into_iter().for_each(|(name, exit)| self.has_ended(&name, exit));
        self.tell_denials();
        self.grant();
        let now = Instant::now();
        self.ask_for_heartbeats(now);
        self.report(now);
        self.inner().clock.set(self.due(), self.downgrade());
    }

    /// A component has ended.
    fn has_ended(&self, name: &str, exit: Exit) {
        let event = {
            let mut members = self.inner().members.borrow_mut();
            // It may be the services of the parent.
            let Some(member) = members.get_mut(name) else { return };
            let name = member.component.name.clone();
            member.exit = Some(exit);
            member.granted = Quota::NONE;
            let is_ending = self.inner().is_ending.get();
            match (member.life, member.cause(exit)) {
                (Life::Stopping(Then::Start), _) => {
                    member.life = Life::Waits;
                    Event::Stopped { name }
                }
                (Life::Stopping(Then::Gone), _) => {
                    members.remove(&name);
                    self.inner().services.forget(name.as_str());
                    Event::Stopped { name }
                }
                (Life::Stopping(Then::Over), _) => {
                    member.life = Life::GivenUp;
                    Event::Killed { name }
                }
                (Life::Runs, None) => {
                    member.life = Life::Ended;
                    Event::Ended { name }
                }
                (Life::Runs, Some(cause)) => match member.restarts.crashed(self.inner().began.elapsed()) {
                    Verdict::Restart if !is_ending => {
                        member.life = Life::Waits;
                        Event::Crashed { name, cause }
                    }
                    Verdict::Restart => {
                        member.life = Life::GivenUp;
                        Event::Killed { name }
                    }
                    Verdict::GiveUp { crashes } => {
                        member.life = Life::GivenUp;
                        Event::GivenUp { name, cause, crashes, intensity: member.component.restart }
                    }
                },
                (Life::Waits | Life::Ended | Life::GivenUp, _) => return,
            }
        };
        self.tell(event);
    }

    fn tell_denials(&self) {
        for denial in self.inner().notes.denied.take() {
            let event = {
                let mut members = self.inner().members.borrow_mut();
                let Some(member) = members.get_mut(denial.client.as_str()) else { continue };
                member.denials = member.denials.saturating_add(1);
                let name = member.component.name.clone();
                match member.denials {
                    ..=DENIALS => Event::Denied {
                        name,
                        service: denial.service,
                        label: denial.label,
                        reason: denial.reason,
                    },
                    count if count == DENIALS + 1 => Event::DeniedOften { name },
                    _ => continue,
                }
            };
            self.tell(event);
        }
    }

    /// Gives what is there to those who are to have more, and starts those who wait for it.
    pub(super) fn grant(&self) {
        let wanting = self.wanting();
        wanting.iter().for_each(|name| self.grant_to(name));
        let is_any_left = !wanting.is_empty() && !self.wanting().is_empty();
        self.inner().notes.quota_is_wanted.set(is_any_left);
        self.note_who_comes();
    }

    /// Has sessions of those who are about to be started wait for them.
    fn note_who_comes(&self) {
        let members = self.inner().members.borrow();
        let coming: BTreeSet<Name> =
            members.iter().filter(|(_, member)| member.comes()).map(|(name, _)| name.clone()).collect();
        drop(members);
        let before = self.inner().notes.coming.replace(coming);
        let coming = self.inner().notes.coming.borrow();
        before.difference(&coming).for_each(|name| self.inner().host.give_up(name.as_str()));
    }

    /// Who is to be given something, in the order of the composition.
    fn wanting(&self) -> Vec<Name> {
        let (composition, members) = (self.inner().composition.borrow(), self.inner().members.borrow());
        let names = composition.components().iter().map(|component| &component.name);
        names.filter(|name| members.get(*name).is_some_and(Member::wants)).cloned().collect()
    }

    fn grant_to(&self, name: &Name) {
        let (component, granted, life) = {
            let members = self.inner().members.borrow();
            let Some(member) = members.get(name) else { return };
            (member.component.clone(), member.granted, member.life)
        };
        let wanted = launch::quota(&component);
        if life == Life::Waits {
            let started = self.inner().host.start(self.inner().launch.spec(&component));
            self.is_started(name, wanted, started);
        } else if self.inner().host.give(name.as_str(), granted.missing_for(wanted)).is_ok() {
            let mut members = self.inner().members.borrow_mut();
            members.get_mut(name).into_iter().for_each(|member| member.granted = wanted);
        }
    }

    fn is_started(&self, name: &Name, quota: Quota, started: Result<(), Error>) {
        let process = self.inner().host.process(name.as_str()).unwrap_or_default();
        let event = {
            let mut members = self.inner().members.borrow_mut();
            // Others may hold what it needs until their servers have closed their sessions, or owe it.
            let host = &self.inner().host;
            let owes = |name: &Name| host.debt(name.as_str()).is_some_and(|debt| !debt.is_none());
            let comes_back = host.sessions() > 0
                || members.iter().any(|(name, member)| member.is_stopping() || owes(name));
            let Some(member) = members.get_mut(name) else { return };
            let name = name.clone();
            match started {
                Ok(()) => {
                    member.begins(Instant::now(), quota);
                    Event::Started { name, process }
                }
                Err(Error::OutOfRam { .. } | Error::OutOfCaps { .. }) if comes_back => return,
                Err(error) => {
                    member.life = Life::GivenUp;
                    member.failure = Some(error.to_string());
                    Event::NotStarted { name, reason: error.to_string() }
                }
            }
        };
        self.tell(event);
    }

    /// Asks those whose time has come for a sign of life, and kills who has given none since he was asked last.
    fn ask_for_heartbeats(&self, now: Instant) {
        for (name, member) in self.inner().members.borrow_mut().iter_mut() {
            if member.life != Life::Runs || member.beat.is_none_or(|beat| beat > now) {
                continue;
            }
            if self.inner().host.missed_heartbeats(name.as_str()).is_some_and(|missed| missed > 0) {
                member.falls_silent();
                self.inner().host.kill(name.as_str());
            } else {
                self.inner().host.heartbeat_of(name.as_str());
                member.watch(now);
            }
        }
    }

    /// When something is to be done though nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        let members = self.inner().members.borrow();
        let running = members.values().filter(|member| member.life == Life::Runs);
        running.filter_map(|member| member.beat).chain(self.inner().reports.borrow().due()).min()
    }
}
