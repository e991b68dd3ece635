//! Tasks in line, in the order in which they came.

use std::collections::VecDeque;
use std::task::Waker;

/// Tasks in line. Wakers are the executor's code, which may come back here: whoever locks a line clones, wakes and drops them
/// without the lock.
#[derive(Debug, Default)]
pub(crate) struct Line {
    last: u64,
    tasks: VecDeque<(Place, Waker)>,
}

/// A task's place in line, which it keeps while it is woken in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

impl Line {
    /// Where the place is, or would be.
    fn find(&self, place: Place) -> Result<usize, usize> {
        self.tasks.binary_search_by_key(&place, |(place, _)| *place)
    }

    /// Whether it is in line, and not woken.
    pub(crate) fn has(&self, place: Place) -> bool {
        self.find(place).is_ok()
    }

    /// A task is in line from now on, where it was before if it was. Answers its place, and the waker that was there.
    pub(crate) fn enter(&mut self, place: Option<Place>, waker: Waker) -> (Place, Option<Waker>) {
        let place = place.unwrap_or_else(|| {
            self.last += 1;
            Place(self.last)
        });
        let old = match self.find(place) {
            Ok(index) => Some(std::mem::replace(&mut self.tasks[index].1, waker)),
            Err(index) => {
                self.tasks.insert(index, (place, waker));
                None
            }
        };
        (place, old)
    }

    /// A task gives up its place. `None` if it was not in line, since it was woken.
    pub(crate) fn leave(&mut self, place: Place) -> Option<Waker> {
        let index = self.find(place).ok()?;
        self.tasks.remove(index).map(|(_, waker)| waker)
    }

    /// The first, who is in line no more.
    pub(crate) fn next(&mut self) -> Option<Waker> {
        self.tasks.pop_front().map(|(_, waker)| waker)
    }

    /// All of them, who are in line no more.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.tasks).into_iter().map(|(_, waker)| waker)
    }
}
