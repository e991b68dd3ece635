//! The counting itself, as `wc` does it.

use serde::{Deserialize, Serialize};

/// Lines, words and bytes.
///
/// ```
/// use portcullis_examples::wordcount::Counts;
///
/// let counts = Counts { lines: 1, words: 2, bytes: 12 };
/// assert!(counts.words <= counts.bytes);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Newlines.
    pub lines: u64,
    /// Words, by the rule that was chosen.
    pub words: u64,
    /// Bytes.
    pub bytes: u64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WordRule {
    /// The printable bytes are those of ASCII, as in the locale "C".
    Ascii,
    /// Bytes of characters beyond ASCII are printable too, as in a UTF-8 locale. Text must be valid for that.
    Utf8,
}

impl WordRule {
    /// Whether the byte begins a word.
    #[inline]
    fn is_printable(self, byte: u8) -> bool {
        byte.is_ascii_graphic() | (byte >= 0x80 && self == WordRule::Utf8)
    }
}

/// Whether the byte ends a word, as isspace(3) has it in the locale "C".
#[inline]
fn is_space(byte: u8) -> bool {
    byte == b' ' || (b'\t'..=b'\r').contains(&byte)
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
    in_word: bool,
}

impl WordCounter {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(rule: WordRule) -> WordCounter {
        WordCounter { rule, counts: Counts::default(), in_word: false }
    }

    /// Counts the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        // So short that the counts of a block fit a byte: the compiler makes vector code of that.
        for block in piece.chunks(128) {
            let newlines = block.iter().fold(0, |sum, byte| sum + u8::from(*byte == b'\n'));
            self.counts.lines += u64::from(newlines);
            let plain = |byte: u8| is_space(byte) | self.rule.is_printable(byte);
            if block.iter().fold(true, |all, byte| all & plain(*byte)) {
                self.add_plain(block);
            } else {
                block.iter().for_each(|byte| self.add_byte(*byte));
            }
        }
        self.counts.bytes += piece.len() as u64;
    }

    /// The words of at most 255 bytes that are all space or printable: each begins behind a space.
    fn add_plain(&mut self, block: &[u8]) {
        let [first, rest @ ..] = block else { return };
        self.add_byte(*first);
        let pairs = block.iter().zip(rest);
        let begun = pairs.fold(0, |sum, (a, b)| sum + u8::from(is_space(*a) & !is_space(*b)));
        self.counts.words += u64::from(begun);
        self.in_word = rest.last().map_or(self.in_word, |last| !is_space(*last));
    }

    fn add_byte(&mut self, byte: u8) {
        let printable = self.rule.is_printable(byte);
        self.counts.words += u64::from(printable & !self.in_word);
        self.in_word = (self.in_word | printable) & !is_space(byte);
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
        let long = [&[b'x'; 127][..], b" yy", &[b' '; 126], b"z\n", &[0xe9; 130]].concat();
        let mixed = b" one  two\tthree\x0bfour\x0cfive\r\nsix \x01 \x80 \xa0x\xff\x00 \n\n seven";
        for text in [&b""[..], b" ", b"\n", b"a", b"a ", b" a", &all, &long, mixed] {
            for rule in [WordRule::Ascii, WordRule::Utf8] {
                for cut in 0..=text.len() {
                    let (left, right) = text.split_at(cut);
                    assert_eq!(count(rule, &[left, right]), oracle(rule, text), "{text:?} cut at {cut}");
                }
            }
        }
    }
}
