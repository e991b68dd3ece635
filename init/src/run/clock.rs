//! When whoever runs a composition has its turn: between handlers, and when something is due.

use super::init::WeakInit;
use portcullis_component::{Alarm, Env};
use portcullis_entrypoint::WeakEntrypoint;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

/// What gives the turn.
pub(super) enum Clock {
    /// Whoever serves the entrypoint, and looks when it returns.
    Loop(WeakEntrypoint),
    /// The alarms of the component that this is.
    Alarms(Env, RefCell<Option<Alarm>>),
}

impl Clock {
    pub(super) fn of(env: &Env) -> Clock {
        Clock::Alarms(env.clone(), RefCell::default())
    }

    /// What a handler calls to have a turn follow it.
    pub(super) fn waker(&self, init: WeakInit) -> Box<dyn Fn()> {
        match self {
            Clock::Loop(entrypoint) => {
                let entrypoint = entrypoint.clone();
                Box::new(move || entrypoint.upgrade().into_iter().for_each(|entrypoint| entrypoint.stop()))
            }
            Clock::Alarms(env, _) => {
                let (env, is_set) = (env.clone(), Rc::<Cell<bool>>::default());
                Box::new(move || {
                    // One is enough for all that happens until then.
                    if !is_set.replace(true) {
                        let (init, is_set) = (init.clone(), is_set.clone());
                        let turn = move |env: &Env| {
                            is_set.set(false);
                            take_turn(env, &init);
                        };
                        env.at(Instant::now(), turn).detach();
                    }
                })
            }
        }
    }

    /// There is to be a turn then, instead of when it was due before.
    pub(super) fn set(&self, due: Option<Instant>, init: WeakInit) {
        if let Clock::Alarms(env, alarm) = self {
            let turn = move |env: &Env| take_turn(env, &init);
            let next = due.map(|due| env.at(due, turn));
            // Borrowed for this statement only.
            let before = alarm.replace(next);
            drop(before);
        }
    }
}

/// Within a component, which ends when all of its own have.
fn take_turn(env: &Env, init: &WeakInit) {
    let Some(init) = init.upgrade() else { return };
    init.turn();
    if init.has_components() && init.is_over() {
        env.exit(i32::from(!init.has_succeeded()));
    }
}
