//! Which granules of a buffer are taken. The metadata lies in private memory, where no peer can reach it.

/// A bit for each granule: 1 is taken.
#[derive(Debug)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    granules: usize,
}

const BITS: usize = u64::BITS as usize;

impl Bitmap {
    /// So many granules, all of them free.
    pub(crate) fn new(granules: usize) -> Bitmap {
        let mut bitmap = Bitmap { words: vec![0; granules.div_ceil(BITS)], granules };
        // What the last word has too many is taken for ever, so that no search need mind the end.
        bitmap.mark(granules, bitmap.words.len() * BITS - granules, true);
        bitmap
    }

    /// How many granules are free.
    pub(crate) fn count_free(&self) -> usize {
        self.words.iter().map(|word| word.count_zeros() as usize).sum()
    }

    /// Takes these granules if none of them is taken; answers whether that was so.
    ///
    /// # Panics
    /// If they are not all there.
    #[inline]
    pub(crate) fn take(&mut self, first: usize, count: usize) -> bool {
        let Some((word, mask)) = within_one(first, count) else { return self.take_many(first, count) };
        let word = &mut self.words[word];
        let free = *word & mask == 0;
        if free {
            *word |= mask;
        }
        free
    }

    #[inline(never)]
    fn take_many(&mut self, first: usize, count: usize) -> bool {
        let free = masks(first, count).all(|(word, mask)| self.words[word] & mask == 0);
        if free {
            self.mark(first, count, true);
        }
        free
    }

    /// Takes granules, or frees them.
    ///
    /// # Panics
    /// If they are not all there.
    #[inline]
    pub(crate) fn mark(&mut self, first: usize, count: usize, taken: bool) {
        match within_one(first, count) {
            Some(part) => self.mark_part(part, taken),
            None => self.mark_many(first, count, taken),
        }
    }

    /// Not in the way of what is common.
    #[inline(never)]
    fn mark_many(&mut self, first: usize, count: usize, taken: bool) {
        masks(first, count).for_each(|part| self.mark_part(part, taken));
    }

    #[inline]
    fn mark_part(&mut self, (word, mask): (usize, u64), taken: bool) {
        if taken {
            self.words[word] |= mask;
        } else {
            self.words[word] &= !mask;
        }
    }

    /// The first place behind the hint, or else the first of all, with so many free granules in a row, its number a
    /// multiple of `align` (a power of two). Looks at each word at most twice.
    #[inline]
    pub(crate) fn find(&self, count: usize, align: usize, hint: usize) -> Option<usize> {
        let from = if hint < self.granules { hint / BITS } else { 0 };
        if count == 1
            && let free @ 1.. = !self.words[from] & aligned(from, align)
        {
            return Some(from * BITS + free.trailing_zeros() as usize);
        }
        self.search(from, count, align)
    }

    fn search(&self, from: usize, count: usize, align: usize) -> Option<usize> {
        if count <= BITS {
            let words = (from..self.words.len()).chain(0..from);
            words.into_iter().find_map(|word| self.find_in(word, count, align))
        } else {
            self.find_long(from, count, align).or_else(|| self.find_long(0, count, align))
        }
    }

    /// A run of at most a word's length that begins in this word.
    #[inline]
    fn find_in(&self, word: usize, count: usize, align: usize) -> Option<usize> {
        let free = !self.words[word];
        if free == 0 {
            return None;
        }
        let next = self.words.get(word + 1).map_or(0, |next| !next);
        // A bit stays where it and those behind it are free: first one of them, then 2, 4 and so on.
        let mut starts = u128::from(free) | u128::from(next) << BITS;
        let mut have = 1;
        while have < count {
            let more = have.min(count - have);
            starts &= starts >> more;
            have += more;
        }
        #[allow(clippy::cast_possible_truncation)] // a run that begins in the next word is found there
        let starts = starts as u64 & aligned(word, align);
        (starts != 0).then(|| word * BITS + starts.trailing_zeros() as usize)
    }

    /// A run of more than a word's length: it reaches the end of the word that it begins in.
    fn find_long(&self, from: usize, count: usize, align: usize) -> Option<usize> {
        let mut start = None;
        for (index, &word) in self.words.iter().enumerate().skip(from) {
            let begin = index * BITS;
            if word == 0 {
                start.get_or_insert(begin);
            }
            let end = begin + word.trailing_zeros() as usize;
            if let Some(start) = start.map(|start: usize| start.next_multiple_of(align))
                && end.checked_sub(start).is_some_and(|length| length >= count)
            {
                return Some(start);
            }
            if word != 0 {
                start = Some(begin + BITS - word.leading_zeros() as usize);
            }
        }
        None
    }
}

/// The bits of a word whose granules are multiples of `align`.
#[inline]
fn aligned(word: usize, align: usize) -> u64 {
    match align {
        1 => u64::MAX,
        // A 1 in each group of so many bits.
        2..BITS => u64::MAX / ((1 << align) - 1),
        _ => u64::from((word * BITS).is_multiple_of(align)),
    }
}

/// The word and its bits, if the granules lie in one word: the common case, and most common that of a single one.
#[inline]
fn within_one(first: usize, count: usize) -> Option<(usize, u64)> {
    let low = first % BITS;
    if count == 1 {
        return Some((first / BITS, 1 << low));
    }
    (count != 0 && low + count <= BITS).then(|| (first / BITS, (u64::MAX >> (BITS - count)) << low))
}

/// The words that granules lie in, and which of their bits.
#[inline]
fn masks(first: usize, count: usize) -> impl Iterator<Item = (usize, u64)> {
    let end = first + count;
    let words = if count == 0 { 0..0 } else { first / BITS..(end - 1) / BITS + 1 };
    words.map(move |word| {
        let low = first.saturating_sub(word * BITS);
        let high = (end - word * BITS).min(BITS);
        (word, (u64::MAX >> (BITS - (high - low))) << low)
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Bitmap {
        fn is_taken(&self, granule: usize) -> bool {
            self.words[granule / BITS] >> (granule % BITS) & 1 != 0
        }
    }

    /// As simple as can be: a place is good if each granule of it is free.
    fn places(taken: &[bool], count: usize, align: usize) -> impl Iterator<Item = usize> {
        (0..=taken.len().saturating_sub(count))
            .step_by(align)
            .filter(move |first| taken.get(*first..first + count).is_some_and(|run| !run.contains(&true)))
    }

    proptest! {
        /// Finds a place exactly if there is one: no packet fails where another search would find room.
        #[test]
        fn a_place_is_found_whenever_there_is_one(
            runs in prop::collection::vec((1_usize..200, any::<bool>()), 1..12),
            count in 1_usize..300,
            align in 0_u32..9,
            hint in 0_usize..2_500,
        ) {
            let taken: Vec<bool> =
                runs.iter().flat_map(|(length, taken)| std::iter::repeat_n(*taken, *length)).collect();
            let mut bitmap = Bitmap::new(taken.len());
            for (granule, _) in taken.iter().enumerate().filter(|(_, taken)| **taken) {
                bitmap.mark(granule, 1, true);
            }
            let align = 1 << align;
            match bitmap.find(count, align, hint) {
                Some(first) => prop_assert!(places(&taken, count, align).any(|place| place == first)),
                None => prop_assert_eq!(places(&taken, count, align).next(), None),
            }
        }

        /// Takes and frees those granules and no others, and takes none of some that are taken in part.
        #[test]
        fn marks_are_exact(
            granules in 1_usize..400,
            marks in prop::collection::vec((0_usize..400, 0_usize..200, any::<bool>()), 0..20),
        ) {
            let mut bitmap = Bitmap::new(granules);
            let mut taken = vec![false; granules];
            for (first, count, mark) in marks {
                let first = first.min(granules);
                let count = count.min(granules - first);
                let is_free = !taken[first..first + count].contains(&true);
                if mark {
                    prop_assert_eq!(bitmap.take(first, count), is_free);
                } else {
                    bitmap.mark(first, count, false);
                }
                if is_free || !mark {
                    taken[first..first + count].fill(mark);
                }
                for (granule, taken) in taken.iter().enumerate() {
                    prop_assert_eq!(bitmap.is_taken(granule), *taken);
                }
            }
        }
    }

    #[test]
    fn the_search_goes_on_behind_the_hint_and_comes_round() {
        let mut bitmap = Bitmap::new(256);
        assert_eq!(bitmap.find(1, 1, 130), Some(128), "in the word of the hint");
        bitmap.mark(128, 128, true);
        assert_eq!(bitmap.find(64, 1, 130), Some(0));
        assert_eq!(bitmap.find(128, 1, 130), Some(0));
        assert_eq!(bitmap.find(129, 1, 130), None);
    }
}
