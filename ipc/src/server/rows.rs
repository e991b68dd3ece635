//! The capability table of one channel.

use crate::badge::Badge;
use crate::table::Table;
use crate::wire::head::RowName;
use crate::wire::layout::SIGNAL_COUNT;

/// A row of a channel's capability table: what it names, and how many references its client holds.
#[derive(Debug)]
pub(crate) struct Row {
    /// What it names, in two halves: a row is smaller so. Of generation 0 once that is dissolved.
    slot: u32,
    generation: u32,
    pub(super) grants: u32,
}

impl Row {
    /// The row of a first grant.
    pub(super) fn new(Badge(name): Badge) -> Row {
        Row { slot: name.index(), generation: name.generation(), grants: 1 }
    }

    /// What the row names, if that still lives.
    #[inline]
    pub(crate) fn badge(&self) -> Option<Badge> {
        (self.generation != 0).then(|| Badge(RowName::new(self.slot, self.generation)))
    }

    /// The object that can be called by it.
    #[inline]
    pub(crate) fn object(&self) -> Option<Badge> {
        self.badge().filter(|badge| !badge.is_context())
    }

    /// The signal context that is submitted to by it.
    pub(crate) fn context(&self) -> Option<Badge> {
        self.badge().filter(|badge| badge.is_context())
    }

    /// Whether it was granted for a signal context, be that dissolved.
    pub(crate) fn is_context(&self) -> bool {
        RowName::new(self.slot, 0).is_context()
    }

    /// What it names is dissolved.
    pub(super) fn kill(&mut self) {
        self.generation = 0;
    }
}

/// The rows of one channel. Those of signal contexts have indices of their own, so that each has a bit in the channel's
/// memory; the first row of all may be either.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    objects: Table<Row>,
    contexts: Table<Row>,
}

impl Rows {
    /// How many there are.
    pub(crate) fn len(&self) -> u32 {
        self.objects.len() + self.contexts.len()
    }

    /// How many of them are those of signal contexts, the first row left out.
    pub(crate) fn contexts(&self) -> u32 {
        self.contexts.len()
    }

    /// The words of signals that any of them ever used.
    pub(crate) fn signal_words(&self) -> usize {
        // The first signal is that of the first row.
        (self.contexts.places() + 1).div_ceil(64)
    }

    /// Adds a row; `None` if there is no index for it.
    pub(super) fn insert(&mut self, row: Row) -> Option<RowName> {
        let is_first = self.objects.places() == 0;
        if row.context().is_none() || is_first {
            return self.objects.insert(row);
        }
        // Places that are retired count, too.
        let next = self.contexts.next_name().and_then(name_outside)?;
        self.contexts.insert(row)?;
        Some(next)
    }

    /// The row of that name.
    #[inline]
    pub(crate) fn get(&self, name: RowName) -> Option<&Row> {
        if name.is_context() { self.contexts.get(name_inside(name)?) } else { self.objects.get(name) }
    }

    /// The row of that name.
    #[inline]
    pub(crate) fn get_mut(&mut self, name: RowName) -> Option<&mut Row> {
        if name.is_context() { self.contexts.get_mut(name_inside(name)?) } else { self.objects.get_mut(name) }
    }

    /// Removes the row of that name.
    pub(super) fn remove(&mut self, name: RowName) -> Option<Row> {
        if name.is_context() { self.contexts.remove(name_inside(name)?) } else { self.objects.remove(name) }
    }

    /// The name of the row that has this index now.
    pub(crate) fn name_at(&self, index: u32) -> Option<RowName> {
        let name = RowName::new(index, 0);
        if !name.is_context() {
            return self.objects.name_at(index);
        }
        self.contexts.name_at(name_inside(name)?.index()).and_then(name_outside)
    }

    /// All rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.objects.iter().chain(self.contexts.iter()).map(|(_, row)| row)
    }

    /// The bytes that a row takes.
    #[cfg(test)]
    pub(crate) const fn entry_bytes() -> usize {
        Table::<Row>::entry_bytes()
    }
}

/// The name in the table of contexts' rows: the first index of contexts is never used.
fn name_inside(name: RowName) -> Option<RowName> {
    let index = name.index().checked_sub(RowName::CONTEXTS + 1)?;
    Some(RowName::new(index, name.generation()))
}

/// The name to the outside, if there is a bit for it.
fn name_outside(name: RowName) -> Option<RowName> {
    let signal = name.index().checked_add(1).filter(|signal| *signal < SIGNAL_COUNT)?;
    Some(RowName::new(RowName::CONTEXTS + signal, name.generation()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::signal::Signal;

    fn badge(index: u32) -> Badge {
        Badge(RowName::new(index, 1))
    }

    #[test]
    fn a_context_has_a_row_with_a_signal_whatever_else_there_is() {
        let mut rows = Rows::default();
        let (object, context) = (badge(0), badge(RowName::CONTEXTS));
        assert_eq!(rows.insert(Row::new(context)), Some(RowName::FIRST), "a portal's");
        for _ in 0..1_000 {
            let name = rows.insert(Row::new(object)).unwrap();
            assert_eq!(Signal::of(name.index()), None);
        }
        let name = rows.insert(Row::new(context)).unwrap();
        assert!(Signal::of(name.index()).is_some());
        assert_eq!(rows.get(name).and_then(Row::context), Some(context));
        assert_eq!(rows.get(name).and_then(Row::object), None, "it cannot be called");
        assert_eq!(rows.name_at(name.index()), Some(name));
        assert_eq!((rows.len(), rows.contexts(), rows.signal_words()), (1_002, 1, 1));
        assert!(rows.remove(name).is_some() && rows.get(name).is_none());
        let again = rows.insert(Row::new(context)).unwrap();
        assert_eq!((again.index(), again.generation()), (name.index(), name.generation() + 1));
    }

    #[test]
    fn there_are_as_many_contexts_as_signals_and_no_more() {
        let mut rows = Rows::default();
        rows.insert(Row::new(badge(0)));
        let granted = (0..).map_while(|_| rows.insert(Row::new(badge(RowName::CONTEXTS))));
        assert_eq!(granted.count(), SIGNAL_COUNT as usize - 1);
        assert_eq!(rows.len(), SIGNAL_COUNT);
        assert_eq!(rows.signal_words(), crate::wire::layout::SIGNAL_WORDS);
        assert!(rows.insert(Row::new(badge(0))).is_some(), "objects have indices of their own");
    }
}
