//! Which parts of a range are taken: pure bookkeeping.

use crate::error::Error;
use crate::window::check;
use std::collections::BTreeMap;

/// Parts of a range that do not overlap.
#[derive(Debug)]
pub(crate) struct Ranges {
    len: usize,
    /// From where each part begins to where it ends.
    taken: BTreeMap<usize, usize>,
}

impl Ranges {
    pub(crate) fn new(len: usize) -> Ranges {
        Ranges { len, taken: BTreeMap::new() }
    }

    /// Takes the `len` that begin at `start`; not none.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`], [`Error::Overlap`]; nothing is taken.
    pub(crate) fn take(&mut self, start: usize, len: usize) -> Result<(), Error> {
        check(start, len, self.len)?;
        let before = self.taken.range(..start + len).next_back();
        match before {
            Some((_, end)) if *end > start => Err(Error::Overlap { place: start, len }),
            _ => {
                self.taken.insert(start, start + len);
                Ok(())
            }
        }
    }

    /// Takes the first `len` that are free; not none.
    ///
    /// # Errors
    /// [`Error::NoRoom`].
    pub(crate) fn take_any(&mut self, len: usize) -> Result<usize, Error> {
        let mut start = 0;
        for (next, end) in &self.taken {
            if next - start >= len {
                break;
            }
            start = *end;
        }
        self.take(start, len).map_err(|_| Error::NoRoom { len })?;
        Ok(start)
    }

    /// Gives back what begins at `start`.
    pub(crate) fn give_back(&mut self, start: usize) {
        self.taken.remove(&start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_touch_and_do_not_overlap() {
        let mut ranges = Ranges::new(100);
        ranges.take(10, 10).unwrap();
        ranges.take(20, 10).unwrap();
        ranges.take(0, 10).unwrap();
        for (start, len) in [(0, 1), (9, 1), (19, 2), (5, 20), (0, 100), (29, 10)] {
            assert_eq!(ranges.take(start, len), Err(Error::Overlap { place: start, len }));
        }
        ranges.take(99, 1).unwrap();
        assert!(matches!(ranges.take(90, 11), Err(Error::OutOfBounds { .. })));
        assert!(matches!(ranges.take(usize::MAX, 2), Err(Error::OutOfBounds { .. })));
    }

    proptest! {
        /// Against a table of who has which unit.
        #[test]
        fn as_a_table_of_units_says(steps in prop::collection::vec((0_usize..40, 1_usize..12, 0..3), 0..200)) {
            let mut ranges = Ranges::new(32);
            let mut units = [None; 32];
            for (start, len, step) in steps {
                match step {
                    0 => {
                        let free = start + len <= 32 && units[start..start + len].iter().all(Option::is_none);
                        prop_assert_eq!(ranges.take(start, len).is_ok(), free);
                        if free { units[start..start + len].fill(Some(start)); }
                    }
                    1 => {
                        let free = (0..=32 - len).find(|at| units[*at..at + len].iter().all(Option::is_none));
                        prop_assert_eq!(ranges.take_any(len).ok(), free);
                        if let Some(at) = free { units[at..at + len].fill(Some(at)); }
                    }
                    _ => {
                        ranges.give_back(start);
                        units.iter_mut().filter(|unit| **unit == Some(start)).for_each(|unit| *unit = None);
                    }
                }
            }
        }
    }
}
