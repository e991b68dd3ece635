//! What the parent of a composition offers by itself, on a thread of its own: whoever reads slowly, or asks without end, holds up
//! none but those who ask here, too.

use super::{launch, spawner};
use crate::config::Component;
use portcullis_component::host::{Route, Spec};
use portcullis_component::spawn::{Allowance, Spawn};
use portcullis_component::{Env, Error, Label, Quota};
use portcullis_entrypoint::EntrypointHandle;
use portcullis_rpc::Interface;
use portcullis_sessions::Board;
use portcullis_sessions::log::{Log, LogComponent};
use portcullis_sessions::rom::{Rom, RomComponent};
use portcullis_sessions::timer::{Timer, TimerComponent};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The component that serves it. No component of a composition can have this name.
pub(super) const NAME: &str = "parent";

/// The label of the ROM in which a component finds what it is configured with.
const CONFIG: &str = "config";

/// The label of the ROM in which is how the composition is: for who is routed to it.
pub(super) const STATE: &str = "state";

/// What that is called on the board, where components' names are those of their configurations.
const STATE_ON_BOARD: &str = "(state)";

/// What becomes of a session that a route leads to the parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// The parent is the root: it has what is offered here and nobody above. The services that a route to it can be for.
    Root(Rc<[&'static str]>),
    /// The parent is a component itself, and asks its own.
    Above,
}

impl Offer {
    /// Of a root that has these services beside its own.
    pub(super) fn root(also: &[(&'static str, Announce)]) -> Offer {
        let own = [
            <dyn Log as Interface>::NAME,
            <dyn Rom as Interface>::NAME,
            <dyn Spawn as Interface>::NAME,
            <dyn Timer as Interface>::NAME,
        ];
        Offer::Root(own.into_iter().chain(also.iter().map(|(name, _)| *name)).collect())
    }

    pub(super) fn route(&self, service: &str) -> Route {
        match self {
            Offer::Above => Route::Parent,
            Offer::Root(_) if service == <dyn Spawn as Interface>::NAME => Route::to(spawner::NAME),
            Offer::Root(services) if services.contains(&service) => Route::to(NAME),
            Offer::Root(services) => Route::Denied(format!("the root offers {} alone", services.join(", "))),
        }
    }
}

/// Whether a component of that name is the parent itself.
pub(super) fn is_parent(name: &str) -> bool {
    name == NAME || name == spawner::NAME
}

/// Where lines of the root's log go.
pub(super) type Sink = Box<dyn FnMut(&str) + Send>;

/// Announces a service, on the thread that serves those of the root.
pub type Announce = Box<dyn FnOnce(&Env) -> Result<(), Error> + Send>;

/// What the root serves beside configurations.
pub(super) struct OfRoot {
    pub(super) log: Sink,
    pub(super) also: Vec<(&'static str, Announce)>,
}

/// Whether a session is of the client's own configuration, which its parent has for it whatever the routes are.
pub(super) fn is_config(service: &str, said: &Label) -> bool {
    service == <dyn Rom as Interface>::NAME && said.hops() == [CONFIG]
}

/// The services, as whoever runs the composition has them.
#[derive(Clone, Default)]
pub(super) struct Services(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    /// What each component is configured with, and how the composition is.
    contents: BTreeMap<String, Arc<[u8]>>,
    /// What each component may have started for it.
    allowances: BTreeMap<String, Allowance>,
    /// The thread that serves them, once it does.
    thread: Option<EntrypointHandle>,
}

thread_local! {
    /// Of the thread that serves.
    static BOARD: Board = Board::default();
}

impl Services {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be started to serve them. Within another composition they are
    /// configurations and nothing else.
    pub(super) fn spec(&self, of_root: Option<OfRoot>) -> Spec {
        let services = self.clone();
        Spec::thread(NAME, Quota::NONE, move |env: Env| services.construct(&env, of_root))
    }

    fn construct(&self, env: &Env, of_root: Option<OfRoot>) -> Result<(), Error> {
        let board = BOARD.with(Board::clone);
        {
            let mut shared = self.shared();
            shared.thread = Some(env.entrypoint().handle());
            shared.contents.iter().for_each(|(name, content)| board.put(name, content));
        }
        env.announce::<dyn Rom, _>(RomComponent::new(&board, of_client))?;
        let Some(OfRoot { log, also }) = of_root else { return Ok(()) };
        env.announce::<dyn Log, _>(LogComponent::new(log))?;
        env.announce::<dyn Timer, _>(TimerComponent::new())?;
        also.into_iter().try_for_each(|(_, announce)| announce(env))
    }

    /// A component may have such processes started for it from now on, if it is routed to whoever does that.
    pub(super) fn allow(&self, component: &Component) {
        let allowance = Allowance { mode: launch::mode(component), memory: component.ram.in_bytes() };
        self.shared().allowances.insert(component.name.to_string(), allowance);
    }

    pub(super) fn allowance(&self, component: &str) -> Option<Allowance> {
        self.shared().allowances.get(component).copied()
    }

    /// A component is configured so from now on.
    pub(super) fn configure(&self, component: &str, config: &str) {
        self.put(component, config);
    }

    /// The composition is so now.
    pub(super) fn report(&self, state: &str) {
        self.put(STATE_ON_BOARD, state);
    }

    fn put(&self, name: &str, content: &str) {
        let (name, content): (_, Arc<[u8]>) = (name.to_owned(), content.as_bytes().into());
        let mut shared = self.shared();
        shared.contents.insert(name.clone(), content.clone());
        shared.post(move |board| board.put(&name, &content));
    }

    /// A component is there no more.
    pub(super) fn forget(&self, component: &str) {
        let name = component.to_owned();
        let mut shared = self.shared();
        shared.contents.remove(&name);
        shared.allowances.remove(&name);
        shared.post(move |board| board.remove(&name));
    }
}

impl Shared {
    fn post(&self, change: impl FnOnce(&Board) + Send + 'static) {
        // Without a thread, or with one that has ended, there is nobody to be told.
        if let Some(thread) = &self.thread {
            let _ = thread.post(move |_| BOARD.with(change));
        }
    }
}

/// The content for a label: what its first hop is configured with, or how all is.
fn of_client(label: &Label) -> Option<String> {
    match label.hops() {
        [client, said] if said == CONFIG => Some(client.clone()),
        [_, said] if said == STATE => Some(STATE_ON_BOARD.into()),
        _ => None,
    }
}
