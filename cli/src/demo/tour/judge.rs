//! What has to hold in the tour, and whether it did.

use portcullis_examples::tour::{Attempt, Event, State};
use portcullis_examples::wordcount::Counts;
use serde::Serialize;
use std::collections::BTreeMap;

/// Those who end when they have done their work: reader, watcher and intruder. The others serve.
const CLIENTS: usize = 3;

/// Sees all that happens, and says in the end what held.
#[derive(Debug)]
pub(super) struct Judge {
    /// What the input counts to.
    expected: Counts,
    /// How often each component was started.
    started: BTreeMap<String, u32>,
    /// How many have ended by themselves.
    ended: usize,
    /// What the watcher has seen last, and how often it saw anything.
    seen: State,
    looks: u32,
    /// Looks that came with a scribe's words after the killed one was missed.
    looks_after: u32,
    lost: u32,
    found: u32,
    /// What the intruder tried, and whether it was refused.
    attempts: Vec<(Attempt, bool)>,
}

/// Something that has to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) holds: bool,
    pub(super) what: String,
}

impl Judge {
    /// Who knows what the input counts to.
    pub(super) fn new(expected: Counts) -> Judge {
        Judge {
            expected,
            started: BTreeMap::new(),
            ended: 0,
            seen: State::default(),
            looks: 0,
            looks_after: 0,
            lost: 0,
            found: 0,
            attempts: Vec::new(),
        }
    }

    /// A component was started.
    pub(super) fn started(&mut self, component: &str) {
        *self.started.entry(component.to_owned()).or_default() += 1;
    }

    /// A component has ended by itself.
    pub(super) fn ended(&mut self) {
        self.ended += 1;
    }

    /// A component has told something.
    pub(super) fn told(&mut self, event: &Event) {
        match event {
            Event::Worded { state, .. } => {
                self.seen = *state;
                self.looks += 1;
                self.looks_after += u32::from(self.found > 0);
            }
            Event::Lost => self.lost += 1,
            Event::Found => self.found += 1,
            Event::Tried { attempt, outcome } => self.attempts.push((*attempt, outcome.is_err())),
        }
    }

    /// Whether it is time to kill the scribe: the watcher is in the middle of its work, or about to have its last answer.
    pub(super) fn wants_a_victim(&self) -> bool {
        self.looks >= 3 || self.seen.is_done
    }

    /// Whether there is nothing more to see.
    pub(super) fn is_complete(&self) -> bool {
        self.seen.is_done
            && self.attempts.len() == Attempt::ALL.len()
            && self.found > 0
            && self.ended >= CLIENTS
    }

    /// What held, and what did not.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let Counts { lines, words, bytes } = self.seen.counts;
        let refused = self.attempts.iter().filter(|(_, refused)| *refused).count();
        let all = Attempt::ALL.len();
        let others_once = self.started.iter().all(|(name, times)| name == "scribe" || *times == 1);
        vec![
            Finding {
                holds: self.seen.is_done && self.seen.counts == self.expected,
                what: format!("the input was counted right: {lines} lines, {words} words, {bytes} bytes"),
            },
            Finding {
                holds: self.lost == 1 && self.found == 1 && self.started.get("scribe") == Some(&2),
                what: format!(
                    "the scribe was killed and started anew, and had {} more answers for its client",
                    self.looks_after
                ),
            },
            Finding {
                holds: others_once && self.started.len() > 1,
                what: "its neighbours went on in the same processes".into(),
            },
            Finding {
                holds: refused == all && self.attempts.len() == all,
                what: format!("the intruder was refused {refused} of {all} times"),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts { lines: 1, words: 2, bytes: 3 };

    fn all_well() -> Judge {
        let mut judge = Judge::new(COUNTS);
        ["counter", "scribe", "scribe"].iter().for_each(|name| judge.started(name));
        let worded =
            |is_done| Event::Worded { state: State { counts: COUNTS, is_done }, words: String::new() };
        [worded(false), Event::Lost, Event::Found, worded(true)].iter().for_each(|event| judge.told(event));
        for attempt in Attempt::ALL {
            judge.told(&Event::Tried { attempt, outcome: Err("no".into()) });
        }
        (0..CLIENTS).for_each(|_| judge.ended());
        judge
    }

    fn broken(judge: &Judge) -> Vec<usize> {
        let findings = judge.findings();
        (0..findings.len()).filter(|index| !findings[*index].holds).collect()
    }

    #[test]
    fn a_tour_in_which_all_is_well_is_found_so() {
        assert!(all_well().is_complete());
        assert_eq!(broken(&all_well()), Vec::<usize>::new());
    }

    #[test]
    fn whatever_goes_wrong_is_found() {
        let mut miscounted = all_well();
        miscounted.seen.counts.words += 1;
        assert_eq!(broken(&miscounted), [0]);
        let mut unharmed = all_well();
        (unharmed.lost, unharmed.found) = (0, 0);
        assert!(!unharmed.is_complete());
        assert_eq!(broken(&unharmed), [1]);
        let mut spread = all_well();
        spread.started("counter");
        assert_eq!(broken(&spread), [2]);
        let mut taken_over = all_well();
        taken_over.attempts[4].1 = false;
        assert_eq!(broken(&taken_over), [3]);
        assert_eq!(broken(&Judge::new(COUNTS)).len(), 4, "nothing that did not happen held");
    }
}
