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
use std::collections::{BTreeMap, BTreeSet};
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
    /// Which of them the thread has not seen as they are now.
    changed: BTreeSet<String>,
    /// The thread is to look at those, and has not begun to.
    is_told: bool,
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
        self.shared().thread = Some(env.entrypoint().handle());
        self.look(&board);
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

    /// Nobody is to know any more how the composition is.
    pub(super) fn forget_report(&self) {
        self.remove(STATE_ON_BOARD);
    }

    /// A component is there no more.
    pub(super) fn forget(&self, component: &str) {
        self.shared().allowances.remove(component);
        self.remove(component);
    }

    fn put(&self, name: &str, content: &str) {
        let mut shared = self.shared();
        shared.contents.insert(name.to_owned(), content.as_bytes().into());
        self.has_changed(shared, name);
    }

    fn remove(&self, name: &str) {
        let mut shared = self.shared();
        shared.contents.remove(name);
        self.has_changed(shared, name);
    }

    /// Has the thread look. However long it is held up, and however often something changes until then, one message waits for it,
    /// and of each content the newest.
    fn has_changed(&self, mut shared: MutexGuard<'_, Shared>, name: &str) {
        shared.changed.insert(name.to_owned());
        // Without a thread, or with one that has ended, there is nobody to be told.
        let Some(thread) = shared.thread.clone() else { return };
        if !std::mem::replace(&mut shared.is_told, true) {
            drop(shared);
            let services = self.clone();
            let _ = thread.post(move |_| BOARD.with(|board| services.look(board)));
        }
    }

    /// Has the board be as the contents are now. The thread that serves calls it.
    fn look(&self, board: &Board) {
        let mut shared = self.shared();
        shared.is_told = false;
        let changed = std::mem::take(&mut shared.changed).into_iter();
        let changed: Vec<_> = changed.map(|name| (shared.contents.get(&name).cloned(), name)).collect();
        // Whoever changes them does not wait until all are on the board.
        drop(shared);
        for (content, name) in changed {
            match content {
                Some(content) => board.put(&name, &content),
                None => board.remove(&name),
            }
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
