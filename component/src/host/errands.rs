//! What the parent's own parent is asked to do for sessions that go up to it.
//!
//! All children share the 16 lanes to it, and some of what they ask for may take for ever. So nothing that may take long waits in a lane: it
//! is begun by a call, and when there is something to fetch, that is signalled.

use super::effects::Ask;
use super::{Host, WeakHost};
use crate::error::Error;
use crate::hop::Event;
use crate::protocol::{Errand, Outcome, Parent, ParentAsync, Request, Session};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_rpc::{self as rpc, Capability, Client, Deadline, SignalCapability};
use std::cell::{Cell, OnceCell};

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
        let weak = self.downgrade();
        entrypoint.spawn(async move {
            let parent = uplink.parent().with_deadline(Deadline::Never);
            let mut has_come = None;
            while let Some(listens) = weak.upgrade() {
                listens.0.listener.is_called.set(false);
                drop(listens);
                let outcome = parent.outcome_async(has_come.take()).await;
                let Some(host) = weak.upgrade() else { return };
                match outcome {
                    Ok(Some(outcome)) => {
                        has_come = Some(outcome.number);
                        host.comes_of(outcome);
                    }
                    // Somebody may have called since.
                    Ok(None) if host.0.listener.is_called.get() || host.is_put_off() => {}
                    // What did not come is there still, when the next one is.
                    Ok(None) | Err(_) => return host.0.listener.is_fetching.set(false),
                }
                // What has come lies there no more.
                let errand = host.0.state.borrow_mut().put_off.pop_front();
                drop(host);
                if let Some(errand) = errand {
                    begin(weak.clone(), parent.clone(), errand).await;
                }
            }
        });
    }

    fn is_put_off(&self) -> bool {
        !self.0.state.borrow().put_off.is_empty()
    }

    /// The parent's own parent has done something, or has not.
    fn comes_of(&self, Outcome { number, result }: Outcome) {
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
        error => host.comes_of(Outcome { number: errand.number(), result: Err(error) }),
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
