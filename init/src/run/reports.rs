//! When it is reported how a composition is, and to whom.

use super::init::Init;
use super::services::{self, Offer};
use super::state::State;
use crate::config::Composition;
use crate::name::Service;
use crate::route::{Router, Target};
use portcullis_component::Label;
use portcullis_rpc::Interface;
use portcullis_sessions::rom::Rom;
use std::time::{Duration, Instant};

/// How long what happens is gathered until it is reported: who opens and closes sessions without end does not have all of it
/// reported without end.
const GATHERED: Duration = Duration::from_millis(100);

/// Who is to know, and when.
#[derive(Default)]
pub(super) struct Reports {
    /// A component may read it.
    has_readers: bool,
    /// Whoever runs the composition.
    reader: Option<Box<Reader>>,
    due: Option<Instant>,
}

type Reader = dyn FnMut(&State);

impl Reports {
    pub(super) fn is_wanted(&self) -> bool {
        self.has_readers || self.reader.is_some()
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Init {
    /// Has the state reported whenever it changes, some times a second at most: to this closure, between handlers.
    pub fn report_to(&self, reader: impl FnMut(&State) + 'static) {
        self.inner().reports.borrow_mut().reader = Some(Box::new(reader));
        self.inner().notes.state_is_wanted.set(true);
        self.inner().notes.is_changed.set(true);
    }

    /// Whether a component of the composition is routed to the state, which the root has.
    pub(super) fn note_readers(&self, router: &Router, composition: &Composition) {
        let (service, label) = (<dyn Rom as Interface>::NAME.parse::<Service>(), Label::of(services::STATE));
        let (Ok(service), Ok(label)) = (service, label) else { return };
        let inner = self.inner();
        let reads = |client| *router.decide(client, &service, &label).to == Target::Parent;
        let is_read = composition.components().iter().any(|component| reads(&component.name));
        let mut reports = inner.reports.borrow_mut();
        let has_readers = is_read && matches!(inner.offer, Offer::Root(_));
        if std::mem::replace(&mut reports.has_readers, has_readers) && !has_readers {
            // Who reads it next is not told how it was long ago.
            inner.services.forget_report();
        }
        inner.notes.state_is_wanted.set(reports.is_wanted());
    }

    /// Reports what has changed, if it is time for that.
    pub(super) fn report(&self, now: Instant) {
        let inner = self.inner();
        if !inner.reports.borrow().is_wanted() {
            // Nothing that was due would ever be done.
            inner.reports.borrow_mut().due = None;
            return;
        }
        let due = inner.reports.borrow().due;
        match due {
            None if inner.notes.is_changed.get() => {
                inner.reports.borrow_mut().due = now.checked_add(GATHERED);
            }
            Some(due) if due <= now => {
                inner.reports.borrow_mut().due = None;
                inner.notes.is_changed.set(false);
                let state = self.state();
                if inner.reports.borrow().has_readers {
                    inner.services.report(&state.json());
                }
                let reader = inner.reports.borrow_mut().reader.take();
                if let Some(mut reader) = reader {
                    // Foreign code: nothing of ours is borrowed.
                    reader(&state);
                    inner.reports.borrow_mut().reader = Some(reader);
                }
            }
            _ => {}
        }
    }
}
