//! What a component has done at points in time.

use crate::env::Env;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Instant;

/// Alarms by when they are due, and by their order for those that are due at once.
#[derive(Default)]
pub(crate) struct Alarms {
    waiting: BTreeMap<Key, Action>,
    last: u64,
}

type Key = (Instant, u64);

type Action = Box<dyn FnOnce(&Env)>;

/// Something that is done later: [`Env::at`](crate::Env::at). Dropped before, it is not done, and takes up no room any more.
///
/// ```
/// use portcullis_component::host::{Asked, Host, Route, Spec};
/// use portcullis_component::{Env, Quota};
/// # use portcullis_entrypoint::Entrypoint;
/// # use portcullis_ipc::Pd;
/// use std::time::{Duration, Instant};
///
/// # let pd = Pd::new()?;
/// # let entrypoint = Entrypoint::new(&pd)?;
/// # let nothing = |_: Asked<'_>| Route::Denied("nothing is served here".into());
/// # let host = Host::new(&pd, &entrypoint, Quota::new(1 << 20, 100), nothing);
/// host.start(Spec::thread("egg", Quota::NONE, |env: Env| {
///     env.at(Instant::now() + Duration::from_millis(1), |env| env.exit(0)).detach();
///     drop(env.at(Instant::now(), |_| unreachable!("it was dropped")));
/// }))?;
/// host.run_until(|host| host.quota("egg").is_none())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropped, it is not done"]
pub struct Alarm {
    alarms: Weak<RefCell<Alarms>>,
    key: Key,
}

impl Alarms {
    /// Adds one; answers whether it is due before all others.
    pub(crate) fn add(alarms: &Rc<RefCell<Alarms>>, due: Instant, action: Action) -> (Alarm, bool) {
        let mut waiting = alarms.borrow_mut();
        waiting.last += 1;
        let key = (due, waiting.last);
        let is_first = waiting.next().is_none_or(|first| due < first);
        waiting.waiting.insert(key, action);
        (Alarm { alarms: Rc::downgrade(alarms), key }, is_first)
    }

    /// When the first is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// The first that is due by then.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Action> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

impl Alarm {
    /// It is done, whatever becomes of this.
    pub fn detach(mut self) {
        self.alarms = Weak::new();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let Some(alarms) = self.alarms.upgrade() else { return };
        // Borrowed for this statement only: what is dropped is foreign code.
        let action = alarms.borrow_mut().waiting.remove(&self.key);
        drop(action);
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarm").field(&self.key.0).finish()
    }
}
