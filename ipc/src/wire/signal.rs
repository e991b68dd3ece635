//! Which bit of a channel's memory stands for which signal context.
//!
//! ```text
//! row      2^31 + n, or 0 for n = 0: the first row of a channel
//! signal   n, 0..16384: bit n mod 64 of word 4800 + n / 64
//! pending  bit 34 + n / 2048
//! ```

use super::head::RowName;
use super::layout::{GROUP_SIGNALS, GROUP_WORDS, SIGNAL_COUNT, SIGNAL_GROUPS, SIGNALS, SIGNALS_SHIFT};

/// One of a channel's signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal(u32);

impl Signal {
    /// That of the row with that index, if it can be a signal context.
    #[inline]
    pub(crate) fn of(row: u32) -> Option<Signal> {
        let number = match row {
            0 => 0,
            RowName::CONTEXTS => return None,
            row => row.wrapping_sub(RowName::CONTEXTS),
        };
        (number < SIGNAL_COUNT).then_some(Signal(number))
    }

    /// All that are set in a word, which was copied; the lowest first.
    pub(crate) fn in_word(word: usize, set: u64) -> impl Iterator<Item = Signal> {
        // A word beyond has none.
        let first = u32::try_from(word * 64).unwrap_or(SIGNAL_COUNT);
        let mut rest = set;
        std::iter::from_fn(move || {
            let number = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (number < 64).then_some(Signal(first + number))
        })
        .filter(|signal| signal.0 < SIGNAL_COUNT)
    }

    /// The index of its row.
    pub(crate) fn row(self) -> u32 {
        if self.0 == 0 { RowName::FIRST.index() } else { RowName::CONTEXTS + self.0 }
    }

    /// The word that it lies in.
    #[inline]
    pub(crate) fn word(self) -> usize {
        SIGNALS + self.0 as usize / 64
    }

    /// Its bit there.
    #[inline]
    pub(crate) fn bit(self) -> u64 {
        1 << (self.0 % 64)
    }

    /// What announces it.
    #[inline]
    pub(crate) fn pending(self) -> u64 {
        1 << (SIGNALS_SHIFT + self.0 / GROUP_SIGNALS)
    }
}

/// The words of signals, counted from the first of them, that these bits of `pending` announce, of the first `used` ones.
pub(crate) fn announced(pending: u64, used: usize) -> impl Iterator<Item = usize> {
    let groups = (0..SIGNAL_GROUPS).filter(move |group| pending >> SIGNALS_SHIFT >> group & 1 != 0);
    groups
        .flat_map(|group| group * GROUP_WORDS..(group + 1) * GROUP_WORDS)
        .take_while(move |word| *word < used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::layout::{PENDING_SIGNALS, SIGNAL_WORDS};

    #[test]
    fn a_signal_and_its_row_tell_each_other() {
        for number in [0, 1, 63, 64, 2_047, 2_048, SIGNAL_COUNT - 1] {
            let signal = Signal(number);
            assert_eq!(Signal::of(signal.row()), Some(signal));
            let word = signal.word() - SIGNALS;
            assert_eq!(Signal::in_word(word, signal.bit()).collect::<Vec<_>>(), [signal]);
            assert!(announced(signal.pending(), SIGNAL_WORDS).any(|announced| announced == word));
            assert!(!announced(PENDING_SIGNALS & !signal.pending(), SIGNAL_WORDS).any(|other| other == word));
        }
    }

    #[test]
    fn what_can_be_no_context_has_no_signal() {
        let beyond = RowName::CONTEXTS + SIGNAL_COUNT;
        for row in [1, RowName::CONTEXTS - 1, RowName::CONTEXTS, beyond, u32::MAX] {
            assert_eq!(Signal::of(row), None, "{row}");
        }
        assert_eq!(Signal::in_word(SIGNAL_WORDS, u64::MAX).count(), 0);
        assert_eq!(announced(u64::MAX, SIGNAL_WORDS).count(), SIGNAL_WORDS);
        assert_eq!(announced(u64::MAX, 3).count(), 3, "no more than are used");
        assert_eq!(announced(!PENDING_SIGNALS, SIGNAL_WORDS).count(), 0);
    }
}
