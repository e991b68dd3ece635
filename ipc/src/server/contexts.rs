//! Signal contexts: which there are, and which of them have a signal.

use super::ledger::Holders;
use crate::badge::Badge;
use crate::protocol::signals;
use crate::sync::AtomicU64;
use crate::table::Table;
use crate::wire::head::RowName;
use std::collections::VecDeque;
use std::sync::Arc;

/// When the handler of a signal may run.
///
/// ```
/// use portcullis_ipc::SignalLevel;
///
/// assert_eq!(SignalLevel::default(), SignalLevel::Application);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SignalLevel {
    /// Between handlers only.
    #[default]
    Application,
    /// While another handler waits for it, too.
    Io,
}

/// Whether a context has a signal, for the capabilities within its server's own process.
pub(crate) type Flag = Arc<AtomicU64>;

/// The signal contexts of a server.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    table: Table<Context>,
    /// Those that have a signal, in the order in which they got it: each is there once at most.
    application: VecDeque<Badge>,
    io: VecDeque<Badge>,
    /// The last signal was taken out of `io`: so that neither waits for more than one of the other.
    last_was_io: bool,
}

#[derive(Debug)]
struct Context {
    holders: Holders,
    level: SignalLevel,
    flag: Flag,
    /// It has a signal, and stands in a queue.
    is_ready: bool,
}

impl Contexts {
    /// A new context.
    pub(super) fn mint(&mut self, level: SignalLevel) -> Option<Badge> {
        // Not so many that their names would be others'.
        self.table.next_name().filter(|name| name.index() < RowName::CONTEXTS - 1)?;
        let context = Context { holders: Holders::None, level, flag: Flag::default(), is_ready: false };
        self.table.insert(context).map(badge)
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.table.len()
    }

    fn get(&self, badge: Badge) -> Option<&Context> {
        self.table.get(name(badge)?)
    }

    pub(super) fn contains(&self, badge: Badge) -> bool {
        self.get(badge).is_some()
    }

    /// Where it was granted.
    pub(super) fn holders_mut(&mut self, badge: Badge) -> Option<&mut Holders> {
        Some(&mut self.table.get_mut(name(badge)?)?.holders)
    }

    /// What capabilities to it within this process share.
    pub(super) fn flag(&self, badge: Badge) -> Option<Flag> {
        Some(self.get(badge)?.flag.clone())
    }

    /// Ends a context, and with it what it has of a signal. Answers where it was granted.
    pub(super) fn dissolve(&mut self, badge: Badge) -> Option<Holders> {
        let context = self.table.remove(name(badge)?)?;
        if context.is_ready {
            self.queue_mut(context.level).retain(|ready| *ready != badge);
        }
        Some(context.holders)
    }

    /// It has a signal. If it had one already, nothing is added to that.
    pub(super) fn signal(&mut self, badge: Badge) {
        let Some(context) = name(badge).and_then(|name| self.table.get_mut(name)) else { return };
        if !std::mem::replace(&mut context.is_ready, true) {
            let level = context.level;
            self.queue_mut(level).push_back(badge);
        }
    }

    /// The same, said by capabilities within this process.
    pub(super) fn signal_by_flag(&mut self, badge: Badge) {
        let flagged = self.get(badge).is_some_and(|context| signals::take(&context.flag, 1) != 0);
        if flagged {
            self.signal(badge);
        }
    }

    fn queue_mut(&mut self, level: SignalLevel) -> &mut VecDeque<Badge> {
        match level {
            SignalLevel::Application => &mut self.application,
            SignalLevel::Io => &mut self.io,
        }
    }

    /// Whether any has a signal.
    #[inline]
    pub(super) fn are_ready(&self) -> bool {
        !(self.application.is_empty() && self.io.is_empty())
    }

    /// The next one that has a signal, which is taken.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Badge> {
        if !self.are_ready() {
            return None;
        }
        let io_first = !std::mem::take(&mut self.last_was_io);
        let next_io = |contexts: &mut Contexts| {
            contexts.last_was_io = !contexts.io.is_empty();
            contexts.io.pop_front()
        };
        let first = if io_first { next_io(self) } else { None };
        let next = first.or_else(|| self.application.pop_front()).or_else(|| next_io(self))?;
        self.took(next)
    }

    /// The next one for I/O that may run now, which is taken.
    pub(super) fn next_io(&mut self, may_run: impl Fn(Badge) -> bool) -> Option<Badge> {
        let place = self.io.iter().position(|ready| may_run(*ready))?;
        let next = self.io.remove(place)?;
        self.took(next)
    }

    /// From now on it may have another signal.
    fn took(&mut self, badge: Badge) -> Option<Badge> {
        self.table.get_mut(name(badge)?)?.is_ready = false;
        Some(badge)
    }

    /// The bytes that a context takes.
    #[cfg(test)]
    pub(super) const fn entry_bytes() -> usize {
        Table::<Context>::entry_bytes()
    }
}

/// The name in the table of contexts.
fn name(badge: Badge) -> Option<RowName> {
    let index = badge.0.index().checked_sub(RowName::CONTEXTS)?;
    Some(RowName::new(index, badge.0.generation()))
}

fn badge(name: RowName) -> Badge {
    Badge(RowName::new(RowName::CONTEXTS + name.index(), name.generation()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_take_turns_and_signals_coalesce() {
        let mut contexts = Contexts::default();
        let [one, two] = [(); 2].map(|()| contexts.mint(SignalLevel::Application).unwrap());
        let io = contexts.mint(SignalLevel::Io).unwrap();
        for badge in [one, one, two, one, two, io, io] {
            contexts.signal(badge);
        }
        assert_eq!(contexts.next(), Some(io));
        contexts.signal(io);
        assert_eq!(contexts.next(), Some(one), "no level waits for more than one of the other");
        contexts.signal(one);
        assert_eq!(std::array::from_fn(|_| contexts.next()), [Some(io), Some(two), Some(one), None]);
        assert!(!contexts.are_ready());
    }

    #[test]
    fn what_is_dissolved_has_no_signal() {
        let mut contexts = Contexts::default();
        let [gone, stays] = [(); 2].map(|()| contexts.mint(SignalLevel::Io).unwrap());
        contexts.signal(gone);
        contexts.signal(stays);
        assert!(contexts.dissolve(gone).is_some() && contexts.dissolve(gone).is_none());
        contexts.signal(gone);
        assert_eq!(contexts.next_io(|_| true), Some(stays));
        assert_eq!(contexts.next_io(|_| true), None);
        let new = contexts.mint(SignalLevel::Io).unwrap();
        assert_eq!(new.slot(), gone.slot());
        assert!(!contexts.contains(gone) && contexts.contains(new));
    }

    #[test]
    fn what_may_not_run_keeps_its_place() {
        let mut contexts = Contexts::default();
        let [first, second] = [(); 2].map(|()| contexts.mint(SignalLevel::Io).unwrap());
        let application = contexts.mint(SignalLevel::Application).unwrap();
        for badge in [application, first, second] {
            contexts.signal(badge);
        }
        assert_eq!(contexts.next_io(|badge| badge != first), Some(second));
        assert_eq!(contexts.next_io(|badge| badge != first), None);
        assert_eq!(contexts.next_io(|_| true), Some(first));
        assert_eq!(contexts.next(), Some(application), "not while a handler waits");
    }
}
