//! What was probably meant.

/// Longer words are not compared.
const LONGEST: usize = 64;

/// "did you mean", if one of the words is close to what was said.
pub(super) fn did_you_mean<'a>(said: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if said.is_empty() || said.len() > LONGEST {
        return None;
    }
    let close = (said.chars().count() / 3).max(1);
    let measured =
        words.into_iter().filter(|word| word.len() <= LONGEST).map(|word| (distance(said, word), word));
    let (_, word) =
        measured.filter(|(distance, _)| *distance <= close).min_by_key(|(distance, _)| *distance)?;
    Some(format!("did you mean \"{word}\"?"))
}

/// How many letters must be changed, added, removed or swapped with the next. Upper and lower case are alike.
fn distance(one: &str, other: &str) -> usize {
    let letters = |word: &str| word.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let (one, other) = (letters(one), letters(other));
    // Rows of the usual table: the last but one, the last, the current.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_changes() {
        for (one, other, changes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("ram", "RAM", 0),
            ("rma", "ram", 1),
            ("binray", "binary", 1),
            ("componet", "component", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), changes, "{one} {other}");
            assert_eq!(distance(other, one), changes, "{other} {one}");
        }
    }

    #[test]
    fn finds_what_is_close_and_nothing_else() {
        let words = ["name", "binary", "ram", "caps"];
        assert_eq!(did_you_mean("rma", words).as_deref(), Some("did you mean \"ram\"?"));
        assert_eq!(did_you_mean("cap", words).as_deref(), Some("did you mean \"caps\"?"));
        assert_eq!(did_you_mean("zebra", words), None);
        assert_eq!(did_you_mean(&"ram".repeat(1000), words), None);
    }
}
