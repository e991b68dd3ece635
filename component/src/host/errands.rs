//! What the parent's own parent is asked to do for sessions that go up to it.
//!
//! All children share the 16 lanes to it, and some of what they ask for may take for ever. So nothing that may take long waits in a lane: it
//! is begun by a call, and when there is something to fetch, that is signalled.

use super::effects::{Answer, Ask};
use super::{Host, WeakHost};
use crate::alarms::Alarm;
use crate::env::{Env, WeakEnv};
use crate::error::Error;
use crate::hop::Event;
use crate::protocol::{Errand, Outcome, Parent, ParentAsync, Request, Session};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_rpc::{self as rpc, Capability, Client, Deadline, SignalCapability};
use std::cell::{Cell, OnceCell, RefCell};
use std::time::{Duration, Instant};

/// How long nothing is fetched after that has failed.
const AGAIN: Duration = Duration::from_millis(50);

impl Host {
    /// Asks the parent's own parent, by a task: nobody waits, and no lane does.
    pub(super) fn ask_above(&self, session: u64, number: u64, ask: Ask) {
        let (Some(uplink), Some(entrypoint)) = (self.0.uplink.clone(), self.entrypoint()) else { return };
        let (event, errand) = match ask {
            Ask::Create(request) => (Event::Created, Errand::Session(Request { number, ..request })),
            Ask::Upgrade(quota) => (Event::Upgraded, Errand::Upgrade { number, quota }),
            Ask::Close => (Event::Closed, Errand::Close { number }),
        };
        self.0.state.borrow_mut().errands.insert(number, (session, event));
        let parent = uplink.parent().with_deadline(Deadline::Never);
        entrypoint.spawn(begin(self.downgrade(), parent, errand));
    }

    /// It is begun again when an outcome was fetched: that makes room.
    fn put_off(&self, errand: Errand) {
        self.0.state.borrow_mut().put_off.push_back(errand);
        // All of them may have been fetched before this was known.
        self.fetch_answers();
    }

    /// The parent's own parent has answers. They are fetched by one task at a time: of two, one could take for new what the other has.
    fn fetch_answers(&self) {
        let (Some(uplink), Some(entrypoint)) = (self.0.uplink.clone(), self.entrypoint()) else { return };
        self.0.listener.is_called.set(true);
        if self.0.listener.is_fetching.replace(true) {
            return;
        }
        drop(self.0.listener.again.take());
        let parent = uplink.parent().with_deadline(Deadline::Never);
        entrypoint.spawn(fetch(self.downgrade(), parent));
    }

    /// The parent's own parent has been asked for an outcome. Answers whether it is to be asked again now.
    fn fetched(&self, outcome: Result<Option<Outcome>, Error>) -> bool {
        let listener = &self.0.listener;
        let was_lost = listener.is_lost.replace(false);
        match outcome {
            Ok(Some(outcome)) => {
                listener.has_come.set(Some(outcome.serial));
                self.comes_of(outcome.number, outcome.result);
                return true;
            }
            // Somebody may have called since.
            Ok(None) if listener.is_called.get() || self.is_put_off() => return true,
            Ok(None) | Err(Error::Rpc(rpc::Error::Disconnected)) => {}
            // Of our own system, or it says so again: not now, and nobody calls for what is there already.
            Err(error) if was_lost || matches!(error, Error::Rpc(rpc::Error::Transport(_))) => {
                self.fetch_later();
            }
            // It cannot hand it over.
            Err(_) => {
                listener.is_lost.set(true);
                return true;
            }
        }
        listener.is_fetching.set(false);
        false
    }

    fn fetch_later(&self) {
        let Some(env) = self.0.env.as_ref().and_then(WeakEnv::upgrade) else { return };
        let host = self.downgrade();
        let fetch = move |_: &Env| host.upgrade().into_iter().for_each(|host| host.fetch_answers());
        let again = env.at(Instant::now() + AGAIN, fetch);
        drop(self.0.listener.again.replace(Some(again)));
    }

    fn is_put_off(&self) -> bool {
        !self.0.state.borrow().put_off.is_empty()
    }

    /// The parent's own parent has done something, or has not.
    fn comes_of(&self, number: u64, result: Answer) {
        let errand = self.0.state.borrow_mut().errands.remove(&number);
        let Some((session, event)) = errand else { return };
        // It is not the client's budget that is used up.
        let ours = |error| match error {
            Error::OutOfRam { .. } | Error::OutOfCaps { .. } if event == Event::Created => {
                let state = self.0.state.borrow();
                let service = state.sessions.get(&session).map(|sess| sess.request.service.as_str());
                let reason = "a parent on the way has donated more than it has";
                Error::denied(service.unwrap_or_default(), reason)
            }
            other => other,
        };
        let result = result.map_err(ours);
        self.answered(session, event, result);
    }
}

/// Where the parent's own parent says that there are answers, once it was told.
#[derive(Default)]
pub(super) struct Listener {
    context: OnceCell<(Capability<dyn Session>, SignalCapability)>,
    is_told: Cell<bool>,
    is_fetching: Cell<bool>,
    /// Since the last one was asked for.
    is_called: Cell<bool>,
    /// The serial number of the last one that has come.
    has_come: Cell<Option<u64>>,
    /// Whether the one behind it is said to be one that cannot be handed over.
    is_lost: Cell<bool>,
    /// When they are fetched again, if that has failed.
    again: RefCell<Option<Alarm>>,
}

/// Fetches what there is. What did not come is there still, when it is asked for again.
async fn fetch(weak: WeakHost, parent: Client<dyn Parent>) {
    while let Some(host) = weak.upgrade() {
        let listener = &host.0.listener;
        listener.is_called.set(false);
        let (has_come, is_lost) = (listener.has_come.get(), listener.is_lost.get());
        drop(host);
        let outcome = parent.outcome_async(has_come, is_lost).await;
        let Some(host) = weak.upgrade() else { return };
        if !host.fetched(outcome) {
            return;
        }
        // What has come lies there no more.
        let errand = host.0.state.borrow_mut().put_off.pop_front();
        drop(host);
        if let Some(errand) = errand {
            begin(weak.clone(), parent.clone(), errand).await;
        }
    }
}

/// Has something begun. What is not begun, for whatever reason but one, has come to nothing.
async fn begin(host: WeakHost, parent: Client<dyn Parent>, errand: Errand) {
    let begun = match listens(&host, &parent).await {
        Ok(()) => parent.begin_async(errand.clone()).await,
        Err(error) => Err(error),
    };
    let (Err(error), Some(host)) = (begun, host.upgrade()) else { return };
    match error {
        Error::TooManyOutcomes => host.put_off(errand),
        error => host.comes_of(errand.number(), Err(error)),
    }
}

/// Sees to it that the parent's own parent says when there are answers.
async fn listens(host: &WeakHost, parent: &Client<dyn Parent>) -> Result<(), Error> {
    let context = host.upgrade().map(|host| host.listener()).transpose()?.flatten();
    if let Some(context) = context {
        parent.sigh_async(context).await?;
        host.upgrade().into_iter().for_each(|host| host.0.listener.is_told.set(true));
    }
    Ok(())
}

impl Host {
    /// What is to be signalled, if that was not said yet.
    fn listener(&self) -> Result<Option<SignalCapability>, Error> {
        let listener = &self.0.listener;
        if listener.is_told.get() {
            return Ok(None);
        }
        if listener.context.get().is_none() {
            let entrypoint = self.entrypoint().ok_or(Error::Rpc(rpc::Error::Disconnected))?;
            let object: Capability<dyn Session> = entrypoint.manage(Listens { host: self.downgrade() });
            let hear = |listens: &mut Listens, _: &Entrypoint| listens.hear();
            let context = entrypoint.handle_signal(&object, SignalLevel::Application, hear)?;
            // Nobody was there to set it meanwhile.
            let _ = listener.context.set((object, context));
        }
        Ok(listener.context.get().map(|(_, context)| context.clone()))
    }
}

/// What the signal's handler is bound to.
struct Listens {
    host: WeakHost,
}

impl Session for Listens {}

impl Listens {
    fn hear(&mut self) {
        self.host.upgrade().into_iter().for_each(|host| host.fetch_answers());
    }
}

#[cfg(test)]
#[path = "errands_tests.rs"]
mod tests;
