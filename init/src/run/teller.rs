//! What happens, told to a log, by a thread that may wait for it.

use super::event::Event;
use portcullis_component::host::Spec;
use portcullis_component::{Env, Quota};
use portcullis_sessions::log::{Log, LogText};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The component that tells. No component of a composition can have this name.
pub(super) const NAME: &str = "(init)";

/// What it gets: for the session of its log.
const QUOTA: Quota = Quota::new(32 << 10, 16);

/// The most events that wait until they are told. More are not told.
const MOST_EVENTS: usize = 64;

/// What takes events, and never waits; and whoever tells them.
pub(super) fn channel() -> (impl FnMut(Event), Receiver<Event>) {
    let (events, told): (SyncSender<Event>, _) = sync_channel(MOST_EVENTS);
    (move |event| drop(events.try_send(event)), told)
}

/// Tells a log what it receives.
pub(super) fn spec(told: Receiver<Event>) -> Spec {
    Spec::thread(NAME, QUOTA, move |env: Env| {
        // Who has no log tells nobody.
        let Ok(mut log) = env.connect::<dyn Log>("", &()) else { return };
        for event in told {
            if log.print(&event.to_string()).is_err() {
                return;
            }
        }
    })
}

/// Tells the log why there is no composition that could run: waits for that, since there is nothing else to be done.
pub(super) fn tell(env: &Env, reason: &str) {
    if let Ok(mut log) = env.connect::<dyn Log>(NAME, &()) {
        let _ = log.print(reason);
    }
}
