//! The counting itself, as `wc` does it.

/// Lines, words and bytes.
///
/// ```
/// use portcullis_examples::wordcount::Counts;
///
/// let counts = Counts { lines: 1, words: 2, bytes: 12 };
/// assert_eq!(Counts::decode(&counts.encode()), Some(counts));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Newlines.
    pub lines: u64,
    /// Words, by the rule that was chosen.
    pub words: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Counts {
    /// As it stands in a message: three little-endian words of 8 bytes.
    #[must_use]
    pub fn encode(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (place, value) in
            bytes.as_chunks_mut::<8>().0.iter_mut().zip([self.lines, self.words, self.bytes])
        {
            *place = value.to_le_bytes();
        }
        bytes
    }

    /// Out of a message; `None` unless there are exactly 24 bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Counts> {
        let (&[lines, words, counted], []) = bytes.as_chunks::<8>() else { return None };
        let [lines, words, bytes] = [lines, words, counted].map(u64::from_le_bytes);
        Some(Counts { lines, words, bytes })
    }
}

/// What makes a word. White space ends one (blank, tab, newline, vertical tab, form feed, carriage return), a
/// printable byte begins one, and other bytes do neither: GNU `wc` counts like this, and depends on the locale.
///
/// ```
/// use portcullis_examples::wordcount::{WordCounter, WordRule};
///
/// let words = |rule| {
///     let mut counter = WordCounter::new(rule);
///     counter.add("a → b".as_bytes());
///     counter.counts().words
/// };
/// assert_eq!((words(WordRule::Ascii), words(WordRule::Utf8)), (2, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WordRule {
    /// The printable bytes are those of ASCII, as in the locale "C".
    Ascii = 0,
    /// Bytes of characters beyond ASCII are printable too, as in a UTF-8 locale. Text must be valid for that.
    Utf8 = 1,
}

impl WordRule {
    /// Out of a message; `None` for a value that means nothing.
    #[must_use]
    pub fn decode(value: u8) -> Option<WordRule> {
        [WordRule::Ascii, WordRule::Utf8].into_iter().find(|rule| *rule as u8 == value)
    }

    /// What each byte is.
    const fn table(self) -> [Class; 256] {
        let mut table = [Class { newline: 0, printable: 0, space: 0 }; 256];
        let mut byte = 0;
        while byte < 256 {
            let beyond_ascii = byte >= 0x80 && matches!(self, WordRule::Utf8);
            table[byte] = Class {
                newline: (byte == b'\n' as usize) as u8,
                printable: ((byte > 0x20 && byte < 0x7f) || beyond_ascii) as u8,
                space: (byte == 0x20 || (byte >= 0x09 && byte <= 0x0d)) as u8,
            };
            byte += 1;
        }
        table
    }
}

/// What a byte is, as numbers, so that counting needs no branches.
#[derive(Clone, Copy)]
struct Class {
    newline: u8,
    printable: u8,
    space: u8,
}

/// Counts a stream that comes in pieces: where it is cut makes no difference.
///
/// ```
/// use portcullis_examples::wordcount::{Counts, WordCounter, WordRule};
///
/// let mut counter = WordCounter::new(WordRule::Ascii);
/// counter.add(b"one wo");
/// counter.add(b"rd\n");
/// assert_eq!(counter.counts(), Counts { lines: 1, words: 2, bytes: 9 });
/// ```
#[derive(Debug)]
pub struct WordCounter {
    rule: WordRule,
    counts: Counts,
    /// 1 within a word, 0 between words.
    in_word: u8,
}

impl WordCounter {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(rule: WordRule) -> WordCounter {
        WordCounter { rule, counts: Counts::default(), in_word: 0 }
    }

    /// Counts the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        static ASCII: [Class; 256] = WordRule::Ascii.table();
        static UTF8: [Class; 256] = WordRule::Utf8.table();
        let table = match self.rule {
            WordRule::Ascii => &ASCII,
            WordRule::Utf8 => &UTF8,
        };
        let (mut lines, mut words, mut in_word) = (0, 0, self.in_word);
        for byte in piece {
            let Class { newline, printable, space } = table[usize::from(*byte)];
            lines += u64::from(newline);
            words += u64::from(printable & (in_word ^ 1));
            in_word = (in_word | printable) & (space ^ 1);
        }
        self.in_word = in_word;
        self.counts.lines += lines;
        self.counts.words += words;
        self.counts.bytes += piece.len() as u64;
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rule: WordRule, pieces: &[&[u8]]) -> Counts {
        let mut counter = WordCounter::new(rule);
        pieces.iter().for_each(|piece| counter.add(piece));
        counter.counts()
    }

    /// The definition, word by word.
    fn oracle(rule: WordRule, text: &[u8]) -> Counts {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
        let printable = |byte: &u8| byte.is_ascii_graphic() || (rule == WordRule::Utf8 && !byte.is_ascii());
        Counts {
            lines: text.iter().filter(|byte| **byte == b'\n').count() as u64,
            words: text.split(space).filter(|word| word.iter().any(printable)).count() as u64,
            bytes: text.len() as u64,
        }
    }

    #[test]
    fn equals_the_definition_wherever_the_text_is_cut() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let mixed = b" one  two\tthree\x0bfour\x0cfive\r\nsix \x01 \x80 \xa0x\xff\x00 \n\n seven";
        for text in [&b""[..], b" ", b"\n", b"a", b"a ", b" a", &all, mixed] {
            for rule in [WordRule::Ascii, WordRule::Utf8] {
                for cut in 0..=text.len() {
                    let (left, right) = text.split_at(cut);
                    assert_eq!(count(rule, &[left, right]), oracle(rule, text), "{text:?} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn counts_of_a_wrong_size_are_refused() {
        for length in (0..64).filter(|length| *length != 24) {
            assert_eq!(Counts::decode(&vec![1; length]), None);
        }
    }
}
