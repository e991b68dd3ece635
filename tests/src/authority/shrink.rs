//! The few operations of a failed run that matter.

/// Finds a list that still fails, and fails no more if any one of its operations is left out or made simpler. Answers
/// with how it failed; `None` if the whole list does not.
///
/// Stretches are left out as in Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002, but no
/// stretch is tried by itself: what fails here needs a beginning. `simpler` says what may stand for the one at that
/// place.
pub fn shrink<T: Clone, F>(
    list: Vec<T>,
    simpler: impl Fn(&[T], usize) -> Vec<T>,
    fails: impl FnMut(&[T]) -> Option<F>,
) -> Option<(Vec<T>, F)> {
    let mut smallest = Smallest::new(list, fails)?;
    let mut stretch = smallest.list.len().div_ceil(2);
    while stretch > 0 {
        let mut changed = smallest.leave_out(stretch);
        if stretch == 1 {
            for place in 0..smallest.list.len() {
                for candidate in simpler(&smallest.list, place) {
                    let mut list = smallest.list.clone();
                    list[place] = candidate;
                    changed |= smallest.accept(list);
                }
            }
        }
        // Single ones until nothing changes any more.
        stretch = if stretch > 1 { stretch.div_ceil(2) } else { usize::from(changed) };
    }
    Some((smallest.list, smallest.failure))
}

struct Smallest<T, F, Fails> {
    list: Vec<T>,
    failure: F,
    fails: Fails,
}

impl<T: Clone, F, Fails: FnMut(&[T]) -> Option<F>> Smallest<T, F, Fails> {
    fn new(list: Vec<T>, mut fails: Fails) -> Option<Self> {
        let failure = fails(&list)?;
        Some(Smallest { list, failure, fails })
    }

    /// Takes a list for the smallest if it fails.
    fn accept(&mut self, list: Vec<T>) -> bool {
        let Some(failure) = (self.fails)(&list) else { return false };
        (self.list, self.failure) = (list, failure);
        true
    }

    /// Leaves out what is not needed, in stretches of that length, from the end: what comes late needs what came early.
    fn leave_out(&mut self, stretch: usize) -> bool {
        let before = self.list.len();
        let mut end = before;
        while end > 0 {
            let start = end.saturating_sub(stretch);
            self.accept([&self.list[..start], &self.list[end..]].concat());
            end = start;
        }
        self.list.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &[u32], _: usize) -> Vec<u32> {
        Vec::new()
    }

    #[test]
    fn what_does_not_fail_has_no_smallest_part() {
        assert_eq!(shrink(vec![1, 2, 3], nothing, |_| None::<()>), None);
    }

    #[test]
    fn what_matters_is_left_in_order() {
        let mut runs = 0;
        let result = shrink((0..1_000).collect(), nothing, |list: &[u32]| {
            runs += 1;
            let at = |wanted| list.iter().position(|number| *number == wanted);
            (at(17)? < at(400)? && at(401).is_some()).then_some(list.len())
        });
        assert_eq!(result, Some((vec![17, 400, 401], 3)));
        assert!(runs < 200, "{runs} runs");
    }

    #[test]
    fn what_fails_in_any_case_is_nothing() {
        assert_eq!(shrink(vec![1, 2, 3], nothing, |_| Some(())), Some((vec![], ())));
    }

    #[test]
    fn one_of_two_alternatives_is_left() {
        let result = shrink(vec![3, 1, 3, 2, 3], nothing, |list: &[u32]| list.contains(&3).then_some(()));
        assert_eq!(result.map(|(list, ())| list), Some(vec![3]));
    }

    #[test]
    fn what_can_be_simpler_is() {
        let half = |list: &[u32], place: usize| vec![list[place] / 2];
        let result = shrink(vec![5, 900, 8], half, |list| (list.iter().sum::<u32>() > 100).then_some(()));
        assert_eq!(result.map(|(list, ())| list), Some(vec![112]));
    }
}
